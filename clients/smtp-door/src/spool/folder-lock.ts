import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** SQLITE_BUSY: another process has the lock. */
const BUSY = 5;

export class FolderInUseError extends Error {
  constructor(folder: string) {
    super(
      `Expected a spool that no other SMTP door uses, but the folder ${folder} is in use. Stop the other one, or give this one a folder of its own ("spool": { "folder": ... }).`,
    );
  }
}

/**
 * Locks a folder for as long as the process lives. Node has no call for the lock of a file; SQLite has one on every system, and the
 * system itself ends it with the process, also after kill -9 and in another container. So no lock is ever left behind.
 */
export const lockFolder = (folder: string): { readonly release: () => void } => {
  const database = new DatabaseSync(join(folder, 'lock'));
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { readonly errcode?: number }).errcode === BUSY) throw new FolderInUseError(folder);
    throw error;
  }
  return { release: () => database.close() };
};
