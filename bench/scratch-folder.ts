import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders: string[] = [];

/** A folder that is gone when the bench ends, a Ctrl-C included. */
export const makeScratchFolder = (): string => {
  if (folders.length === 0)
    // A child that is just stopping may still write.
    process.once('exit', () => {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    });
  const folder = mkdtempSync(join(tmpdir(), 'mail-relay-bench-'));
  folders.push(folder);
  return folder;
};
