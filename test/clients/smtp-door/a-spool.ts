import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { Log, LogFacts } from '../../../clients/smtp-door/src/log.ts';
import { Spool, type SpoolSettings } from '../../../clients/smtp-door/src/spool/spool.ts';

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** A folder that goes with the test. */
export const aFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'smtp-door-'));
  folders.push(folder);
  return folder;
};

/** A log that keeps its events. */
export const aLog = () => {
  const events: string[] = [];
  const facts: LogFacts[] = [];
  const log: Log = (_, event, of = {}) => {
    events.push(event);
    facts.push(of);
  };
  return { log, events, facts };
};

export const NOW = new Date('2026-11-26T12:00:00Z');

/** A spool in a folder of its own, or again in one that there is. */
export const aSpool = async (change: Partial<SpoolSettings> = {}) => {
  const folder = change.folder ?? (await aFolder());
  const { log, events } = aLog();
  const open = () => Spool.open({ maxBytes: 10_000_000, maxEmails: 1000, ...change, folder }, log, () => NOW);
  return { folder, events, open, spool: await open() };
};
