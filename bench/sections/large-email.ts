import type { Aim } from '../aims.ts';
import { buildApp } from '../app-folder.ts';
import { measureBlob } from '../blob-memory.ts';
import { closedLoop } from '../closed-loop.ts';
import { startBenchCloud, startBenchStorage } from '../cloud.ts';
import { measureCopies } from '../copies.ts';
import { forEachMailbox, measureHeld } from '../held-memory.ts';
import { type BenchHost, JSON_HEADERS, startHost } from '../host.ts';
import { measureMachine } from '../machine-speed.ts';
import { megabytes, ms, percent, printTable, times } from '../print-table.ts';
import { startRelay } from '../relay-under-load.ts';
import { type Case, inRounds, medianOf } from '../rounds.ts';
import { largeMail, mailboxOf } from '../sample-mail.ts';
import {
  DEFAULT_INSTANCE,
  type FilledInstance,
  fillInstance,
  isAnswered,
  SMALL_INSTANCE,
} from '../small-instance.ts';
import { EMPTY_FUNCTION, NO_MINUTE_LIMIT, type Section, withOpen } from './section.ts';

/** A statement of 2.2 MB as base64, near the most that Graph takes in one request. */
const BYTES = 3_000_000;
const SUBJECTS = { ascii: 'Statement for November', chinese: '十一月份戶口結單' } as const;
type Script = keyof typeof SUBJECTS;
type Name = Script | 'empty';
const WARM_UP = 12;
const LOOP = { count: 6, concurrency: 2 } as const;
const ROUNDS = 15;
const QUICK_ROUNDS = 2;
const AIM_CPU_MS = 50;

const HELD_EMAILS = 4;
const AIM_HELD = 3;

const TOGETHER = 10;
/** The most that MAIL_MAX_REQUEST_MB allows. */
const MOST_BYTES = 100_000_000;
const MOST_SETTINGS = { MAIL_MAX_REQUEST_MB: '100', MAIL_LARGE_ATTACHMENTS: 'true' };

/** A blob that leaves room for the rest of an email, and one next to the most that Exchange takes. */
const BLOBS_BYTES = [140_000_000, 149_000_000] as const;
const AIM_BLOB_BYTES = 64_000_000;

const toRow = ({ answers, isAlive, peakBytes }: FilledInstance): readonly string[] => {
  const statuses = Map.groupBy(answers, (answer) => answer?.status ?? 'no response');
  return [
    [...statuses].map(([status, same]) => `${same.length} x ${status}`).join(', '),
    isAlive ? 'alive' : 'ended',
    megabytes(peakBytes),
  ];
};

const answeredOf = ({ answers, isAlive }: FilledInstance): number =>
  isAlive ? answers.filter(isAnswered).length / answers.length : 0;

/** What one large email costs, what many of them hold, and whether a small instance survives them. */
export const largeEmail: Section = ({ appFolder, quick, progress }) =>
  withOpen(async (keep) => {
    const cloud = await keep(startBenchCloud());
    const storage = await keep(startBenchStorage());
    await cloud.limit(false);
    const relay = await keep(startRelay(appFolder, cloud, storage, NO_MINUTE_LIMIT));
    const post = async (script: Script, index: number): Promise<void> => {
      const { status, text } = await relay.postBody(largeMail(mailboxOf(index), SUBJECTS[script], BYTES));
      if (status !== 200) throw new Error(`POST /api/mail returned ${status} instead of 200: ${text}`);
    };

    const empty = await keep(startHost(await buildApp(EMPTY_FUNCTION), cloud, storage));
    const callEmpty = async (index: number): Promise<void> => {
      const body = largeMail(mailboxOf(index), SUBJECTS.ascii, BYTES);
      const { status } = await empty.client.send('POST', '/api/empty', JSON_HEADERS, body);
      if (status !== 200) throw new Error(`The empty function returned ${status} instead of 200.`);
    };

    const measured = (name: Name, host: BenchHost, job: (index: number) => Promise<void>): Case<Name> => ({
      name,
      measure: async () => {
        const before = await host.readUse();
        await closedLoop(LOOP, job);
        return ((await host.readUse()).cpuMs - before.cpuMs) / LOOP.count;
      },
    });
    progress('large: warming up');
    await closedLoop({ count: WARM_UP, concurrency: 2 }, (index) =>
      post(index % 2 === 0 ? 'ascii' : 'chinese', index),
    );
    const cases = [
      measured('empty', empty, callEmpty),
      measured('ascii', relay, (index) => post('ascii', index)),
      measured('chinese', relay, (index) => post('chinese', index)),
    ];
    const rounds = await inRounds(quick ? QUICK_ROUNDS : ROUNDS, cases, (line) => progress(`large: ${line}`));
    const of = (name: Name) => medianOf(rounds, (figure) => figure(name));
    const [ascii, chinese] = [of('ascii'), of('chinese')];
    const machine = measureMachine(largeMail(mailboxOf(0), SUBJECTS.ascii, BYTES));
    printTable(`An email of ${BYTES} bytes, functions host included`, [
      ['', 'CPU', 'less the empty function', 'of hashing'],
      ['subject in ASCII', ms(ascii), ms(ascii - of('empty')), times(ascii / machine.hashMs)],
      ['subject in Chinese', ms(chinese), ms(chinese - of('empty')), times(chinese / machine.hashMs)],
      ['an empty function that reads it', ms(of('empty')), '', times(of('empty') / machine.hashMs)],
      ['this machine hashes it (SHA-256)', ms(machine.hashMs), '', times(1)],
      ['this machine parses it (JSON)', ms(machine.parseMs), '', times(machine.parseMs / machine.hashMs)],
    ]);

    progress(`large: ${HELD_EMAILS} emails while Graph holds its response`);
    const heldWith = (script: Script): Promise<number> =>
      measureHeld(
        appFolder,
        { cloud, storage },
        forEachMailbox(HELD_EMAILS, (mailbox) => largeMail(mailbox, SUBJECTS[script], BYTES)),
      );
    const held = { ascii: await heldWith('ascii'), chinese: await heldWith('chinese') };
    printTable(`Memory held for each of ${HELD_EMAILS} emails while Graph holds its response, of its bytes`, [
      ['', 'heap and external memory', 'of its bytes'],
      ['subject in ASCII', megabytes(held.ascii), times(held.ascii / BYTES)],
      ['subject in Chinese', megabytes(held.chinese), times(held.chinese / BYTES)],
    ]);

    progress(`large: ${TOGETHER} emails together in a small instance`);
    const small = await fillInstance(appFolder, { cloud, storage }, SMALL_INSTANCE, {
      emails: TOGETHER,
      bytes: BYTES,
      settings: {},
    });
    progress(`large: ${TOGETHER} requests of the largest size together in an instance of 2 GB`);
    const largest = await fillInstance(appFolder, { cloud, storage }, DEFAULT_INSTANCE, {
      emails: TOGETHER,
      bytes: MOST_BYTES,
      settings: MOST_SETTINGS,
    });
    const blobs: { readonly bytes: number; readonly residentBytes: number }[] = [];
    for (const bytes of BLOBS_BYTES) {
      progress(`large: an email that names a blob of ${megabytes(bytes)}`);
      blobs.push({ bytes, residentBytes: await measureBlob(appFolder, { cloud, storage }, bytes) });
    }
    printTable('Memory while an email with a blob is sent, above idle', [
      ['size of the blob', 'most resident above idle'],
      ...blobs.map(({ bytes, residentBytes }) => [megabytes(bytes), megabytes(residentBytes)]),
    ]);
    progress('large: what is copied of a file');
    const copies = await measureCopies(appFolder, { cloud, storage });
    printTable('Bytes that the app copies, decodes or encodes for each byte of a file', [
      ['', 'size of the file', 'bytes for each byte'],
      ...copies.map(({ way, bytes, perByte }) => [way, megabytes(bytes), times(perByte)]),
    ]);
    printTable(`${TOGETHER} requests together`, [
      ['', 'responses', 'process', 'most resident'],
      [`${BYTES} bytes, instance of 512 MB`, ...toRow(small)],
      [`${MOST_BYTES} bytes, instance of 2 GB`, ...toRow(largest)],
    ]);

    const email = `${BYTES / 1_000_000} MB email`;
    return [
      {
        what: `${email}, subject in ASCII: CPU beside an empty function that reads it`,
        figure: ascii - of('empty'),
        limit: { atMost: AIM_CPU_MS },
        show: ms,
      },
      {
        what: `${email}, subject in Chinese: CPU beside an empty function that reads it`,
        figure: chinese - of('empty'),
        limit: { atMost: AIM_CPU_MS },
        show: ms,
      },
      {
        what: `${email}: memory held while Graph holds its response, of its bytes`,
        figure: Math.max(held.ascii, held.chinese) / BYTES,
        limit: { atMost: AIM_HELD },
      },
      {
        what: `${TOGETHER} of them together in 512 MB: answered, or 503 with Retry-After, by a live process`,
        figure: answeredOf(small),
        limit: { atLeast: 1 },
        show: percent,
      },
      {
        what: `${TOGETHER} of them together in 512 MB: most resident, functions host included`,
        figure: small.peakBytes,
        limit: { atMost: SMALL_INSTANCE.memoryBytes },
        show: megabytes,
      },
      {
        what: `${TOGETHER} requests of 100 MB together in 2 GB: answered, or 503 with Retry-After, by a live process`,
        figure: answeredOf(largest),
        limit: { atLeast: 1 },
        show: percent,
      },
      {
        what: `${TOGETHER} requests of 100 MB together in 2 GB: most resident, functions host included`,
        figure: largest.peakBytes,
        limit: { atMost: DEFAULT_INSTANCE.memoryBytes },
        show: megabytes,
      },
      ...blobs.map(({ bytes, residentBytes }) => ({
        what: `An email with a blob of ${bytes / 1_000_000} MB: most resident above idle`,
        figure: residentBytes,
        limit: { atMost: AIM_BLOB_BYTES },
        show: megabytes,
      })),
      ...copies.map(({ way, perByte, aim }) => ({
        what: `${way}: bytes copied for each byte of the file`,
        figure: perByte,
        limit: { atMost: aim },
      })),
    ] satisfies Aim[];
  });
