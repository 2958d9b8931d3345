import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { onTestFinished } from 'vitest';
import type { LogFacts } from '../../../clients/smtp-door/src/log.ts';
import { hashPassword } from '../../../clients/smtp-door/src/password-hash.ts';
import { startDoor } from '../../../clients/smtp-door/src/server/start-door.ts';
import type { Account, DoorSettings, Listener } from '../../../clients/smtp-door/src/settings.ts';
import type { Deliver, Submission } from '../../../clients/smtp-door/src/submission.ts';

export const PASSWORD = 'Correct7Horse';
const passwordHash = await hashPassword(PASSWORD);

export const SCANNER: Account = { name: 'scanner', passwordHash, networks: [], replaceFrom: false };

/** A listener on this machine, at a port that is free. */
export const listener = (over: Partial<Listener> = {}): Listener => ({
  host: '127.0.0.1',
  port: 0,
  tls: 'none',
  plainAuth: true,
  ...over,
});

/** A certificate for localhost in two files. */
export const certificateFiles = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'smtp-door-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
  const renew = async (name: string): Promise<void> => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: name }]);
    await Promise.all([writeFile(files.certFile, cert), writeFile(files.keyFile, key)]);
  };
  await renew('first.example.com');
  return { files, renew };
};

/** A door on free ports, with a stand-in for the relay that keeps what it is given. Ends with the test. */
export const openDoor = async (
  over: Partial<DoorSettings> = {},
  deliver?: Deliver,
  now: () => Date = () => new Date(),
) => {
  const delivered: Submission[] = [];
  const events: { readonly level: string; readonly event: string; readonly facts: LogFacts }[] = [];
  const settings: DoorSettings = {
    name: 'door.example.com',
    listeners: [listener()],
    accounts: [SCANNER],
    maxBytes: 1_000_000,
    maxConnections: 50,
    maxConnectionsPerAddress: 20,
    idleMs: 60_000,
    bareLineEnds: 'mend',
    otherRecipients: 'remove',
    ...over,
  };
  const door = await startDoor(
    settings,
    async (submission) => {
      delivered.push(submission);
      return deliver === undefined
        ? { kind: 'accepted', id: '01a2055c-e268-762b-8556-1836e3fff5b7', state: 'sent' }
        : deliver(submission);
    },
    { now, log: (level, event, facts = {}) => events.push({ level, event, facts }) },
  );
  onTestFinished(() => door.close(0));
  const [port = 0] = door.ports;
  return { door, port, delivered, events };
};

/** The token of AUTH PLAIN. */
export const plainToken = (name: string, password: string): string =>
  Buffer.from(`\0${name}\0${password}`).toString('base64');
