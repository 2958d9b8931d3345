import { randomBytes } from 'node:crypto';
import { chmod, readFile } from 'node:fs/promises';
import { z } from 'zod';
import { replaceFile } from '../replace-file.ts';

const day = z.iso.datetime().transform((text) => new Date(text));

const versionSchema = z.strictObject({
  name: z.string(),
  version: z.string(),
  value: z.string(),
  contentType: z.string().optional(),
  /** The vault keeps it for a certificate of the same name. */
  managed: z.literal(true).optional(),
  tags: z.record(z.string(), z.string()),
  enabled: z.boolean(),
  expiresOn: day.optional(),
  notBefore: day.optional(),
  createdOn: day,
  updatedOn: day,
});

const fileSchema = z.strictObject({ secrets: z.array(versionSchema) });

export type SecretVersion = Readonly<z.output<typeof versionSchema>>;

export type NewSecret = { readonly value: string; readonly managed?: true } & SecretProperties;

export type SecretProperties = {
  readonly contentType?: string | undefined;
  readonly tags?: Record<string, string> | undefined;
  readonly enabled?: boolean | undefined;
  readonly expiresOn?: Date | undefined;
  readonly notBefore?: Date | undefined;
};

/** The secrets of a vault: setting one again makes a new version and keeps the old ones. */
export type SecretStore = {
  readonly set: (name: string, secret: NewSecret, now: Date) => Promise<SecretVersion>;
  readonly update: (
    name: string,
    version: string,
    changes: SecretProperties,
    now: Date,
  ) => Promise<SecretVersion | undefined>;
  /** The version that was set last, enabled or not: what the vault answers when no version is named. */
  readonly current: (name: string) => SecretVersion | undefined;
  readonly find: (name: string, version: string) => SecretVersion | undefined;
  readonly versions: (name: string) => readonly SecretVersion[];
  readonly names: () => readonly string[];
};

/** In memory; with a file, what is set survives a restart. */
export const openSecretStore = async (file?: string): Promise<SecretStore> => {
  let all: readonly SecretVersion[] = file === undefined ? [] : await readStore(file);
  let writing: Promise<void> = Promise.resolve();

  const keep = async (next: readonly SecretVersion[]) => {
    all = next;
    if (file === undefined) return;
    const write = () => replaceFile(file, `${JSON.stringify({ secrets: all }, undefined, 2)}\n`, 0o600);
    writing = writing.then(write, write);
    await writing;
  };
  const find = (name: string, version: string) =>
    all.find((one) => isNamed(one, name) && one.version === version);

  return {
    set: async (name, secret, now) => {
      const made: SecretVersion = {
        // A name keeps the spelling it was first given.
        name: all.find((one) => isNamed(one, name))?.name ?? name,
        version: randomBytes(16).toString('hex'),
        createdOn: now,
        updatedOn: now,
        enabled: secret.enabled ?? true,
        tags: secret.tags ?? {},
        value: secret.value,
        contentType: secret.contentType,
        managed: secret.managed,
        expiresOn: secret.expiresOn,
        notBefore: secret.notBefore,
      };
      await keep([...all, made]);
      return made;
    },
    update: async (name, version, changes, now) => {
      const old = find(name, version);
      if (old === undefined) return undefined;
      const changed: SecretVersion = {
        ...old,
        contentType: changes.contentType ?? old.contentType,
        tags: changes.tags ?? old.tags,
        enabled: changes.enabled ?? old.enabled,
        expiresOn: changes.expiresOn ?? old.expiresOn,
        notBefore: changes.notBefore ?? old.notBefore,
        updatedOn: now,
      };
      await keep(all.map((one) => (one === old ? changed : one)));
      return changed;
    },
    current: (name) => all.findLast((one) => isNamed(one, name)),
    find,
    versions: (name) => all.filter((one) => isNamed(one, name)),
    names: () => [...new Set(all.map((one) => one.name))],
  };
};

const readStore = async (file: string): Promise<readonly SecretVersion[]> => {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return [];
  await chmod(file, 0o600);
  try {
    return fileSchema.parse(JSON.parse(text)).secrets;
  } catch {
    // The cause is left out: a parser's message quotes the text, and the text is secrets.
    throw new Error(`${file} is not a file that the Key Vault stand-in wrote. To start over, delete it.`);
  }
};

const isNamed = (one: SecretVersion, name: string) => one.name.toLowerCase() === name.toLowerCase();
