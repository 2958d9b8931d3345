import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const FILE = 'lock';
/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

/**
 * Takes the folder for this process; undefined when another process has it. The lock is one of the operating system on an
 * empty database: it ends with its process, however that ends, and no number of a process has to be believed.
 */
export const lockFolder = (folder: string): { readonly release: () => void } | undefined => {
  const database = new DatabaseSync(join(folder, FILE), { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
};
