import { type MatchOptions, match, type Path } from 'path-to-regexp';

/** What belongs to a method and a path such as `/secrets/:name{/:version}` (https://github.com/pillarjs/path-to-regexp). */
export type Route<Target> = readonly [method: string, path: Path, target: Target];

export type PathParams = Readonly<Record<string, string>>;

export type Found<Target> =
  | { readonly target: Target; readonly params: PathParams }
  /** The methods that the path has; none: there is no such path. */
  | { readonly target: undefined; readonly allowed: readonly string[] };

/** A segment that is not correctly percent-encoded stays as it is. */
const decodeIfPossible = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
};

const EXACTLY: MatchOptions = { sensitive: true, trailing: false, decode: decodeIfPossible };

/** Finds the first of the routes that has the method and the path; without options, exactly as the path is written. */
export const makeRouter = <Target>(routes: readonly Route<Target>[], options: MatchOptions = {}) => {
  const all = routes.map(([method, path, target]) => ({
    method,
    target,
    matches: match<Record<string, string>>(path, { ...EXACTLY, ...options }),
  }));
  return (method: string, path: string): Found<Target> => {
    for (const route of all) {
      const found = route.method === method && route.matches(path);
      if (found) return { target: route.target, params: found.params };
    }
    const allowed = all.filter(({ matches }) => matches(path)).map((route) => route.method);
    return { target: undefined, allowed: [...new Set(allowed)] };
  };
};
