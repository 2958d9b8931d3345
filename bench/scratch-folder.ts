import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that is gone when the bench ends, a Ctrl-C included. */
export const makeScratchFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'mail-relay-bench-'));
  // A child that is just stopping may still write.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
};
