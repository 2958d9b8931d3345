/** How serialisers and low-code tools write that something is not there: .NET and Jackson null, forms an empty text. */
export const isAbsent = (value: unknown): boolean => value === null || value === '';

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object without those of its optional fields that are absent. */
export const withoutAbsent = (
  object: Readonly<Record<string, unknown>>,
  optional: readonly string[],
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(object).filter(([field, value]) => !(optional.includes(field) && isAbsent(value))),
  );
