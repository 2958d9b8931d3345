import { type Token, TokenData } from 'path-to-regexp';

const PARAMETER = /^\{(\*)?(\w+)(\?)?\}$/;
/** Of a template; no word of a path has them. */
const RESERVED = /[{}*?]/;

/**
 * A route template as a path for the router: words, and whole segments `{name}`, of which the last can be `{name?}` or `{*name}`. ASP.NET
 * knows more, which would match otherwise here than in Azure, so an app with more does not start.
 */
export const readRouteTemplate = (template: string, where: string): TokenData => {
  const segments = template.split('/').filter((segment) => segment !== '');
  return new TokenData(
    segments.flatMap((segment, index) => {
      const [, all, name, optional] = PARAMETER.exec(segment) ?? [];
      const isLast = index === segments.length - 1;
      if (name === undefined ? RESERVED.test(segment) : (optional || all) && !isLast)
        throw new Error(
          `${where}: the route "${template}" has the segment "${segment}". The local functions host supports words, {name} and, as the last segment, {name?} or {*name}. ` +
            'Use only these and check the value in the function, or run the app with Core Tools.',
        );
      if (name === undefined) return [{ type: 'text', value: `/${segment}` }];
      const tokens: Token[] = [
        { type: 'text', value: '/' },
        { type: all ? 'wildcard' : 'param', name },
      ];
      return optional || all ? [{ type: 'group', tokens }] : tokens;
    }),
  );
};

/** The path of a request as ASP.NET matches it: everything is decoded before, except an encoded slash. */
export const decodePath = (path: string): string => {
  try {
    return path
      .split(/(%2f)/i)
      .map((part, index) => (index % 2 === 1 ? part : decodeURIComponent(part)))
      .join('');
  } catch {
    return path;
  }
};
