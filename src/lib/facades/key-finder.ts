/** A place in a text where a key begins, and which of the keys: the longest of those that begin there. */
type Hits = { readonly starts: readonly number[]; readonly keys: readonly number[] };

/**
 * Finds keys in texts in a time that depends on the length of the text alone, whatever the keys are: a regular expression of them takes
 * minutes for keys that were chosen for it. It is the automaton of Aho and Corasick (doi:10.1145/360825.360855) over the keys from their
 * end: at each place of the text it then knows the longest key that begins there. `starts` are from the last to the first.
 */
export const makeKeyFinder = (keys: readonly string[]): ((text: string) => Hits) => {
  const next: Map<number, number>[] = [new Map()];
  const fallback: number[] = [0];
  const found: number[] = [-1];
  const childOf = (node: number, code: number): number | undefined => next[node]?.get(code);

  const addChild = (node: number, code: number): number => {
    const child = next.push(new Map()) - 1;
    fallback.push(0);
    found.push(-1);
    next[node]?.set(code, child);
    return child;
  };
  for (const [index, key] of keys.entries()) {
    let node = 0;
    for (let at = key.length - 1; at >= 0; at -= 1) {
      const code = key.charCodeAt(at);
      node = childOf(node, code) ?? addChild(node, code);
    }
    found[node] = index;
  }

  /** From a node, by the longest of its endings that goes on with this character. */
  const step = (from: number, code: number): number => {
    let node = from;
    let child = childOf(node, code);
    while (child === undefined && node !== 0) {
      node = fallback[node] ?? 0;
      child = childOf(node, code);
    }
    return child ?? 0;
  };
  const nodes = [...(next[0]?.values() ?? [])];
  for (const node of nodes)
    for (const [code, child] of next[node] ?? []) {
      const ending = step(fallback[node] ?? 0, code);
      fallback[child] = ending;
      if (found[child] === -1) found[child] = found[ending] ?? -1;
      nodes.push(child);
    }

  const isLast = new Uint8Array(0x10000);
  for (const code of next[0]?.keys() ?? []) isLast[code] = 1;
  return (text) => {
    const starts: number[] = [];
    const which: number[] = [];
    let node = 0;
    for (let at = text.length - 1; at >= 0; at -= 1) {
      const code = text.charCodeAt(at);
      if (node === 0 && isLast[code] !== 1) continue;
      node = step(node, code);
      const key = found[node] ?? -1;
      if (key === -1) continue;
      starts.push(at);
      which.push(key);
    }
    return { starts, keys: which };
  };
};
