/**
 * How deep a value may be nested. A mail has three levels, an envelope around it one more; the rest is room. What
 * recurses later (JSON.stringify, a hash, a schema) never meets a value that could exhaust the stack.
 */
export const MAX_DEPTH = 32;

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** True when lists and objects are nested deeper than `most`. Goes level by level, so nothing is too deep for it. */
export const isTooDeep = (value: unknown, most = MAX_DEPTH): boolean => {
  let level = [value].filter(isContainer);
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > most) return true;
    const next: object[] = [];
    for (const container of level)
      for (const inner of Array.isArray(container) ? container : Object.values(container))
        if (isContainer(inner)) next.push(inner);
    level = next;
  }
  return false;
};
