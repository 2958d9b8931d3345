import { chmod, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { lockFolder } from './folder-lock.ts';
import { forgetRunning, readRunning, writeRunning } from './running-relay.ts';

/** What is kept between runs, and goes with `--fresh`. */
const KEPT = ['certificate', 'inbox', 'uploads', 'storage', 'key-vault.json', 'functions.log'];
const OURS = new Set([...KEPT, 'lock', 'running.json']);
const OWNER_ONLY = { folder: 0o700, file: 0o600 };

/** The folder of one local cloud, held by this process. */
export type StateFolder = {
  readonly path: string;
  /** Says where the relay is, for commands that follow it. */
  readonly announce: (relay: { readonly url: string; readonly masterKey: string }) => Promise<void>;
  /** Forgets earlier runs. */
  readonly clear: () => Promise<void>;
  readonly release: () => Promise<void>;
};

export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';
}

/**
 * Takes a folder, creating it. Two that write into one lose each other's mails: it throws a FolderInUseError with who has
 * it. Nobody but the owner can read what is in it.
 */
export const openStateFolder = async (path: string, now: Date): Promise<StateFolder> => {
  await mkdir(path, { recursive: true, mode: OWNER_ONLY.folder });
  const lock = lockFolder(path);
  if (lock === undefined) throw await inUse(path);
  const self = { pid: process.pid, since: now.toISOString() };
  await keepToOwner(path);
  await writeRunning(path, self);
  return {
    path,
    announce: (relay) => writeRunning(path, { ...self, relay }),
    clear: async () => {
      for (const name of KEPT) await rm(join(path, name), { recursive: true, force: true });
    },
    release: async () => {
      await forgetRunning(path);
      lock.release();
    },
  };
};

const inUse = async (path: string): Promise<FolderInUseError> => {
  const holder = await readRunning(path);
  const who =
    holder === undefined
      ? 'another process'
      : `process ${holder.pid}, since ${holder.since}${holder.relay ? `, at ${holder.relay.url}` : ''}`;
  return new FolderInUseError(
    `The folder ${path} is in use by ${who}. Stop that relay, or use another folder and other ports for this one: ` +
      'FUNCTIONS_PORT=0 INBOX_PORT=0 ... npm start -- --folder <another folder> (docs/local.md).',
  );
};

/** What earlier versions left readable. A folder that holds other things too keeps its own permissions. */
const keepToOwner = async (path: string): Promise<void> => {
  const names = await readdir(path);
  if (names.every((name) => OURS.has(name))) await chmod(path, OWNER_ONLY.folder);
  for (const name of names.filter((one) => OURS.has(one))) await chmodAll(join(path, name));
};

const chmodAll = async (path: string): Promise<void> => {
  const isFolder = (await stat(path)).isDirectory();
  await chmod(path, isFolder ? OWNER_ONLY.folder : OWNER_ONLY.file);
  if (isFolder) for (const name of await readdir(path)) await chmodAll(join(path, name));
};
