import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { afterAll, expect, test } from 'vitest';
import { makeSmtpDoor } from '../../../scripts/smtp-door-client.ts';
import { aFolder } from './a-spool.ts';
import { type DoorProcess, endDoors, type LogLine, startDoorProcess } from './door-process.ts';
import { type Fault, startRelayStandIn } from './relay-stand-in.ts';

afterAll(endDoors);

/** The same numbers for the same seed (mulberry32). */
const chance = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
};

const EMAILS = 60;
const KILLS = 7;
const CLIENTS = 6;

const FAULTS: readonly (Fault | undefined)[] = [
  undefined,
  undefined,
  { kind: 'cut', when: 'before' },
  { kind: 'cut', when: 'after' },
  { kind: 'answer', status: 503, code: 'STORAGE_UNAVAILABLE' },
  { kind: 'answer', status: 502 },
  { kind: 'answer', status: 401, code: 'KEY_NOT_ACCEPTED' },
];

/** The events of the door, after any of which it can be killed. */
const MOMENTS = [
  'EmailSpooled',
  'RelayAcceptedEmail',
  'RelayDeferredEmail',
  'MessageAccepted',
  'request',
] as const;

const messageOf = (number: number): string =>
  [
    'From: scanner@contoso.example',
    'To: chan@contoso.example',
    `Subject: Scan ${number}`,
    `Message-ID: <scan-${number}@scanner.example>`,
    `X-Scan: ${number}`,
    '',
    'x'.repeat((number * 7919) % 5000).replace(/.{70}/g, '$&\r\n'),
    '',
  ].join('\r\n');

test('every email that got 250 arrives exactly once, while the door is killed and the relay fails', async () => {
  const random = chance(16);
  const pick = <Value>(values: readonly Value[]): Value =>
    values[Math.floor(random() * values.length)] as Value;
  const folder = await aFolder();
  const file = await makeSmtpDoor(await aFolder());
  let onMoment: (moment: string) => void = () => {};
  const relay = await startRelayStandIn(() => {
    onMoment('request');
    return pick(FAULTS);
  });
  await writeFile(
    join(folder, 'door.json'),
    JSON.stringify({
      relay: { url: relay.url },
      accounts: [{ name: 'scanner', key: 'gmr_a_b', networks: ['127.0.0.1'] }],
      listeners: [{ port: 0, tls: 'none' }],
      health: { port: 0 },
      spool: { folder: 'spool' },
    }),
  );

  const counts = { discarded: 0, spooled: 0 };
  const start = (): Promise<DoorProcess> =>
    startDoorProcess(file, folder, (line: LogLine) => {
      if (line.event === 'SpoolOpened') counts.discarded += Number(line.unfinished);
      if (line.event === 'EmailSpooled') counts.spooled += 1;
      onMoment(line.event);
    });
  let door = await start();

  /** Clients as careful devices are: the same message, until someone says 250. */
  let [next, promised, attempts] = [0, 0, 0];
  const send = async (): Promise<void> => {
    for (let number = next++; number < EMAILS; number = next++) {
      const message = messageOf(number);
      for (let isPromised = false; !isPromised; ) {
        attempts += 1;
        const transport = createTransport({ host: '127.0.0.1', port: door.port, ignoreTLS: true });
        isPromised = await transport
          .sendMail({
            envelope: { from: 'scanner@contoso.example', to: 'chan@contoso.example' },
            raw: message,
          })
          .then(
            ({ response }) => response.startsWith('250'),
            () => false,
          );
        transport.close();
        // A door that is starting answers nobody; this leaves it the processor.
        if (!isPromised) await started;
      }
      promised += 1;
    }
  };

  let started: Promise<unknown> = Promise.resolve();
  const killing = (async () => {
    for (let kills = 0; kills < KILLS; kills += 1) {
      const moment = pick(MOMENTS);
      let left = 1 + Math.floor(random() * 4);
      await new Promise<void>((resolve) => {
        onMoment = (seen) => {
          // Whatever it waits for may never come again: after many other events it is killed all the same.
          left -= seen === moment ? 1 : 0.1;
          if (left <= 0) resolve();
        };
        if (promised === EMAILS) resolve();
      });
      onMoment = () => {};
      started = door.kill().then(async () => {
        door = await start();
      });
      await started;
    }
  })();
  await Promise.all([killing, ...Array.from({ length: CLIENTS }, send)]);

  // The relay recovers, and the door starts once more.
  relay.failWith(() => undefined);
  await door.kill();
  door = await start();
  await expect.poll(() => readdir(join(folder, 'spool/waiting'))).toEqual([]);

  const arrived = new Map<string, number>();
  for (const { body } of relay.emails.values()) {
    const scan = /^X-Scan: (\d+)\r$/m.exec(body.toString())?.[1] ?? 'unknown';
    arrived.set(scan, (arrived.get(scan) ?? 0) + 1);
  }
  console.log(
    `${EMAILS} emails promised with 250 in ${attempts} attempts, ${counts.spooled} written to the spool, ${KILLS + 1} kills, ` +
      `${counts.discarded} half-written files discarded, ${relay.requests.length} requests: ` +
      `${arrived.size} emails arrived, ${relay.emails.size - arrived.size} twice.`,
  );
  expect(promised).toBe(EMAILS);
  expect([...arrived].filter(([, times]) => times !== 1)).toEqual([]);
  expect(arrived.size).toBe(EMAILS);
  expect(await readdir(join(folder, 'spool/failed'))).toEqual([]);
  expect(await readdir(join(folder, 'spool/damaged'))).toEqual([]);
  await door.kill();
  await relay.close();
});
