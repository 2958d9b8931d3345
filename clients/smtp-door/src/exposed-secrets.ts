import { stat } from 'node:fs/promises';
import type { ConfigurationFile, Secret } from './configuration-schema.ts';

/** Read by everyone on the machine. */
const OTHERS_READ = 0o004;

const filesOf = (file: string, { accounts, certificate }: ConfigurationFile): readonly string[] => {
  const secrets: readonly (Secret | undefined)[] = accounts.flatMap(({ key, passwordHash }) => [
    key,
    passwordHash,
  ]);
  const files = secrets.flatMap((secret) => {
    if (typeof secret === 'string') return [file];
    return secret !== undefined && 'file' in secret ? [secret.file] : [];
  });
  return [...new Set([...files, ...(certificate === undefined ? [] : [certificate.keyFile])])];
};

/** Files with a key, a password hash or a private key that others on the machine can read. On Windows, modes do not say that. */
export const exposedSecrets = async (
  file: string,
  configuration: ConfigurationFile,
  platform: NodeJS.Platform = process.platform,
): Promise<readonly string[]> => {
  if (platform === 'win32') return [];
  const found = await Promise.all(
    filesOf(file, configuration).map(async (path) => {
      const mode = await stat(path).then(
        (stats) => stats.mode,
        () => 0,
      );
      return (mode & OTHERS_READ) === 0 ? [] : [path];
    }),
  );
  return found.flat();
};
