/** Made at the first call and kept; what failed is tried again at the next call. */
export const lazily = <Value>(make: () => Promise<Value>): (() => Promise<Value>) => {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
};

// biome-ignore lint/suspicious/noExplicitAny: the parameters are those of the port
type Call = (...inputs: any[]) => Promise<unknown>;

/** Which functions of a port give a promise, and which a list to iterate. */
type Kinds<Port> = { readonly [Name in keyof Port]: Port[Name] extends Call ? 'promise' : 'list' };

/**
 * A port whose adapter is opened when one of its functions is first called: an adapter loads its SDK, which takes longer
 * than everything else the app loads, and most instances need few of them.
 */
export const openedAtFirstCall = <Port extends object>(
  open: () => Promise<Port>,
  kinds: Kinds<Port>,
): Port => {
  const opened = lazily(open);
  type Functions = Record<string, (...inputs: unknown[]) => unknown>;
  const call = async (name: string, inputs: unknown[]) => ((await opened()) as Functions)[name]?.(...inputs);
  const list = async function* (name: string, inputs: unknown[]) {
    yield* (await call(name, inputs)) as AsyncIterable<unknown>;
  };
  return Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => [
      name,
      (...inputs: unknown[]) => (kind === 'list' ? list : call)(name, inputs),
    ]),
  ) as Port;
};
