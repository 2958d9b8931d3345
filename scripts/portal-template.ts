/** The compiled template as infra/azuredeploy.json: without the version and hash of the compiler, which change with it alone. */
export const toPortalTemplate = (compiled: string): string =>
  `${JSON.stringify(withoutGenerator(JSON.parse(compiled)), null, 2)}\n`;

const withoutGenerator = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutGenerator);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== '_generator')
      .map(([name, inner]) => [name, withoutGenerator(inner)]),
  );
};
