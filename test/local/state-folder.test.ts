import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readRunning, writeRunning } from '../../local/running-relay.ts';
import { FolderInUseError, openStateFolder } from '../../local/state-folder.ts';

const NOW = new Date('2026-11-25T08:00:00Z');
const HOLD = `
  import { openStateFolder } from ${JSON.stringify(new URL('../../local/state-folder.ts', import.meta.url).href)};
  await openStateFolder(process.argv[1], new Date());
  console.log('held');
  setInterval(() => {}, 60_000);
`;
let path: string;

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'state-'));
});
afterEach(() => rm(path, { recursive: true, force: true }));

test('one at a time has a folder, and the other is told who', async () => {
  const first = await openStateFolder(path, NOW);
  await first.announce({ url: 'http://localhost:7071', masterKey: 'k' });
  const error = await openStateFolder(path, NOW).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(FolderInUseError);
  expect(String(error)).toContain(
    `in use by process ${process.pid}, since 2026-11-25T08:00:00.000Z, at http://localhost:7071.`,
  );
  expect(String(error)).toContain('--folder');
  await first.release();
  expect(await readRunning(path)).toBeUndefined();
  await (await openStateFolder(path, NOW)).release();
});

test('of many that come at the same time one has it', async () => {
  const tried = await Promise.allSettled(Array.from({ length: 8 }, () => openStateFolder(path, NOW)));
  const held = tried.filter((one) => one.status === 'fulfilled');
  expect(held).toHaveLength(1);
  await held[0]?.value.release();
});

test('a process that was killed has it no longer, though its number may belong to another by now', async () => {
  const holder = spawn(process.execPath, ['--input-type=module', '--eval', HOLD, path]);
  await once(holder.stdout, 'data');
  await expect(openStateFolder(path, NOW)).rejects.toThrow(`in use by process ${holder.pid}`);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  // As if the number had been given to a process that lives: this one.
  await writeRunning(path, { pid: process.pid, since: NOW.toISOString() });
  await (await openStateFolder(path, NOW)).release();
});

test('a folder that holds other things too keeps its permissions; what is ours is for its owner only', async () => {
  await writeFile(join(path, 'notes.txt'), 'mine', { mode: 0o644 });
  await writeFile(join(path, 'key-vault.json'), '{"secrets":[]}', { mode: 0o644 });
  const before = (await stat(path)).mode;
  const folder = await openStateFolder(path, NOW);
  const modeOf = async (name: string) => (await stat(join(path, name))).mode & 0o777;
  expect((await stat(path)).mode).toBe(before);
  expect(await modeOf('notes.txt')).toBe(0o644);
  expect(await modeOf('key-vault.json')).toBe(0o600);
  expect(await modeOf('running.json')).toBe(0o600);
  await folder.clear();
  expect(await modeOf('notes.txt')).toBe(0o644);
  await expect(modeOf('key-vault.json')).rejects.toThrow('ENOENT');
  await folder.release();
});
