import { readFileSync } from 'node:fs';

/** Parameters of a deployment, as Azure writes them. */
export type Parameters = Readonly<Record<string, { readonly value?: unknown } | undefined>>;

/** A parameter file (JSON), or what `az bicep build-params --stdout` prints of another. */
const readFile = (path: string): Parameters => {
  const content = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly parametersJson?: string;
    readonly parameters?: Parameters;
  };
  return content.parametersJson === undefined
    ? (content.parameters ?? {})
    : ((JSON.parse(content.parametersJson) as { parameters?: Parameters }).parameters ?? {});
};

/** The parameters of all files together: a value of a later file counts, null is none. */
export const readParameters = (paths: readonly string[]): Parameters => {
  const together: Record<string, { readonly value?: unknown } | undefined> = {};
  for (const path of paths)
    for (const [name, parameter] of Object.entries(readFile(path)))
      if (!(name in together) || (parameter?.value ?? null) !== null) together[name] = parameter;
  return together;
};
