/** Remembers what is in a map, and gives what brings that back. Values that change in place are copied by who has them. */
export const saveMap = <Key, Value>(map: Map<Key, Value>): (() => void) => {
  const saved = [...map];
  return () => {
    map.clear();
    for (const [key, value] of saved) map.set(key, value);
  };
};

export const saveSet = <Value>(set: Set<Value>): (() => void) => {
  const saved = [...set];
  return () => {
    set.clear();
    for (const value of saved) set.add(value);
  };
};
