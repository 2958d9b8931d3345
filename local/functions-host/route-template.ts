/** ASP.NET route templates as far as HTTP triggers use them: `{id}`, `{id?}`, `{id=5}`, `{*rest}`, `{id:guid}`. */
export type CompiledRoute = {
  readonly pattern: RegExp;
  readonly parameters: readonly RouteParameter[];
};

type RouteParameter = {
  readonly name: string;
  readonly catchAll: boolean;
  readonly defaultValue: string | undefined;
  readonly constraints: readonly ((value: string) => boolean)[];
};

class RouteTemplateError extends Error {
  override readonly name = 'RouteTemplateError';
}

const PARAMETER = /\{(\*{0,2})(\w+)((?::\w+(?:\([^)]*\))?)*)(\?|=[^}]*)?\}/g;

export const compileRoute = (template: string): CompiledRoute => {
  const parameters: RouteParameter[] = [];
  const segments = template.split('/').filter((segment) => segment !== '');
  let source = '^';
  for (const segment of segments) {
    const rest = segment.replaceAll(PARAMETER, '');
    if (/[{}]/.test(rest))
      throw new RouteTemplateError(
        `The route "${template}" has a segment that cannot be read: "${segment}".`,
      );
    const found = [...segment.matchAll(PARAMETER)].map((match) => readParameter(template, match));
    parameters.push(...found.map(({ parameter }) => parameter));
    const wholeSegment = rest === '' && found.length === 1 ? found[0] : undefined;
    if (wholeSegment?.parameter.catchAll) source += '(?:/(.*))?';
    else if (wholeSegment?.optional) source += '(?:/([^/]+))?';
    else source += `/${segmentPattern(segment)}`;
  }
  return { pattern: new RegExp(`${source}/?$`, 'i'), parameters };
};

/** The route values that are there, or undefined when the path does not match. The path comes still encoded. */
export const matchRoute = (
  { pattern, parameters }: CompiledRoute,
  path: string,
): Map<string, string> | undefined => {
  const match = pattern.exec(decode(path));
  if (!match) return undefined;
  const values = new Map<string, string>();
  for (const [index, { name, defaultValue, constraints }] of parameters.entries()) {
    const raw = match[index + 1];
    const value = raw === undefined || raw === '' ? defaultValue : raw;
    if (value === undefined) continue;
    if (!constraints.every((isMet) => isMet(value))) return undefined;
    values.set(name, value);
  }
  return values;
};

const segmentPattern = (segment: string): string => {
  const literals = segment.split(PARAMETER);
  // split() yields the four groups of each parameter between the literals.
  return literals
    .map((part, index) => (index % 5 === 0 ? escapeLiteral(part ?? '') : index % 5 === 1 ? '([^/]+?)' : ''))
    .join('');
};

const readParameter = (
  template: string,
  match: RegExpExecArray,
): { parameter: RouteParameter; optional: boolean } => {
  const [, stars = '', name = '', constraints = '', tail = ''] = match;
  return {
    optional: tail !== '',
    parameter: {
      name,
      catchAll: stars !== '',
      defaultValue: tail.startsWith('=') ? tail.slice(1) : undefined,
      constraints: [...constraints.matchAll(/:(\w+)(?:\(([^)]*)\))?/g)].map(
        ([, kind = '', argument = '']) => {
          const make = CONSTRAINTS[kind];
          if (make) return make(argument);
          throw new RouteTemplateError(
            `The route "${template}" uses the constraint "${kind}". Known: ${Object.keys(CONSTRAINTS).join(', ')}.`,
          );
        },
      ),
    },
  };
};

const matching = (pattern: RegExp) => () => (value: string) => pattern.test(value);
const [INT32_MIN, INT32_MAX] = [-(2 ** 31), 2 ** 31 - 1];

/** https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-constraints; `regex` is left out: .NET's dialect is its own. */
const CONSTRAINTS: Readonly<Record<string, (argument: string) => (value: string) => boolean>> = {
  guid: matching(/^\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i),
  int: () => (value) => /^[+-]?\d+$/.test(value) && Number(value) >= INT32_MIN && Number(value) <= INT32_MAX,
  long: matching(/^[+-]?\d{1,19}$/),
  bool: matching(/^(?:true|false)$/i),
  alpha: matching(/^[a-z]*$/i),
  decimal: matching(/^[+-]?\d+(?:\.\d+)?$/),
  datetime: () => (value) => !Number.isNaN(Date.parse(value)),
  required: () => (value) => value !== '',
  length: (argument) => {
    const [min = 0, max = min] = argument.split(',').map(Number);
    return (value) => value.length >= min && value.length <= max;
  },
  minlength: (argument) => (value) => value.length >= Number(argument),
  maxlength: (argument) => (value) => value.length <= Number(argument),
  min: (argument) => (value) => Number(value) >= Number(argument),
  max: (argument) => (value) => Number(value) <= Number(argument),
  range: (argument) => {
    const [min = 0, max = 0] = argument.split(',').map(Number);
    return (value) => Number(value) >= min && Number(value) <= max;
  },
};

const escapeLiteral = (text: string) => text.replaceAll(/[.*+?^$()|[\]\\]/g, String.raw`\$&`);

/** As ASP.NET does: everything is decoded before matching, except an encoded slash. */
const decode = (path: string): string => {
  try {
    return path
      .split(/(%2f)/i)
      .map((part, index) => (index % 2 === 1 ? part : decodeURIComponent(part)))
      .join('');
  } catch {
    return path;
  }
};
