import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Only the user of the door reads emails. */
const FILE_MODE = 0o600;
export const FOLDER_MODE = 0o700;

/** Makes a name in a folder survive a power failure. Windows has no such call, and needs none for a rename in NTFS. */
const syncFolder = async (folder: string): Promise<void> => {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/**
 * Writes a file so that it is whole or absent, whenever the process or the machine stops: all bytes are on the disk before the file
 * has its name. `draft` is where it is written, on the same disk.
 */
export const writeDurably = async (path: string, parts: readonly Buffer[], draft: string): Promise<void> => {
  try {
    const handle = await open(draft, 'wx', FILE_MODE);
    try {
      // It can write less than asked for if the disk fills up; writeFile goes on until it fails.
      for (const part of parts) await handle.appendFile(part);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
  try {
    await syncFolder(dirname(path));
  } catch (error) {
    // Nobody has been promised anything: then it must not be sent either.
    await rm(path, { force: true }).catch(() => undefined);
    throw error;
  }
};

/** Gives a file another name so that it survives a power failure. */
export const moveDurably = async (from: string, to: string): Promise<void> => {
  await rename(from, to);
  await syncFolder(dirname(to));
};

/** The code of an error of the file system, such as ENOSPC. */
export const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'UNKNOWN';
