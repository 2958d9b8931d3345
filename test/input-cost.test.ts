import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { filled, HOSTILE, ordinary } from '../bench/hostile-inputs.ts';
import { openInputReader } from '../bench/input-cost.ts';
import { makeAppFolder } from './support/cloud-for-tests.ts';

/**
 * Processor time of the thread that reads, against an ordinary mail of the same size in the same run: a ratio that
 * another load on the machine does not move much. The bound is far above what is seen, 8 at most, and far below what
 * squared time makes of such sizes, which is thousands.
 */
const MOST_TIMES = 30;
/** The clock of processor time ticks in steps of ten milliseconds on some machines. */
const MOST_FOR_SMALL_MS = 60;
const RUNS = 7;
/** Some thirty times the input, the app itself included. What ran away took five hundred times. */
const MAX_HEAP_MB = 128;
const LARGEST = 4_000_000;

const folder = await mkdtemp(join(tmpdir(), 'mail-relay-input-cost-'));
const reader = await openInputReader(await makeAppFolder(folder), MAX_HEAP_MB);
afterAll(async () => {
  await reader.close();
  await rm(folder, { recursive: true });
});

/** The median of several: a single one may fall between two ticks of the clock. */
const most = async (bytes: number): Promise<number> => {
  const costs: number[] = [];
  for (let run = 0; run < RUNS; run += 1) costs.push((await reader.cost(ordinary(bytes))).cpuMs);
  return MOST_FOR_SMALL_MS + MOST_TIMES * (costs.sort((one, other) => one - other)[(RUNS - 1) / 2] ?? 0);
};

describe('in the built app no input costs more than a small multiple of an ordinary mail of its size', async () => {
  const mostOfLargest = await most(LARGEST);
  const mostOfSmall = await most(6000);

  test.each(Object.keys(HOSTILE))('%s', async (name) => {
    for (const [bytes, limit] of [
      [6000, mostOfSmall],
      [LARGEST, mostOfLargest],
    ] as const) {
      const { cpuMs, status } = await reader.cost(HOSTILE[name]?.(bytes) ?? '');
      expect(status).toBe(400);
      expect(cpuMs).toBeLessThan(limit);
    }
  });

  test('a body of 100 MB, of which no more than the limit is read', async () => {
    const { cpuMs, code } = await reader.cost(new Uint8Array(1_000_000).fill(0x20), 100);
    expect(code).toBe('MAIL_TOO_LARGE');
    expect(cpuMs).toBeLessThan(mostOfLargest);
  });

  test('whatever piece is repeated, in whatever field', async () => {
    const bytes = 500_000;
    const limit = await most(bytes);
    const marks = fc.constantFrom(
      '(',
      ')',
      '<',
      '>',
      '"',
      '\\',
      ',',
      ';',
      '@',
      '.',
      ' ',
      'a',
      '\t',
      'é',
      '=',
      '&',
      'cid:',
      '\ud83d',
    );
    const piece = fc.array(marks, { minLength: 1, maxLength: 5 }).map((some) => some.join(''));
    const field = fc.constantFrom(
      'from',
      'to',
      'bcc',
      'replyTo',
      'subject',
      'text',
      'html',
      'tags',
      'headers',
      'attachments',
      'idempotencyKey',
      'zzz',
    );
    const form = fc.constantFrom<(repeated: string) => unknown>(
      (repeated) => repeated,
      (repeated) => [repeated],
      (repeated) => repeated.match(/.{1,300}/gsu),
      (repeated) => ({ name: repeated, address: repeated }),
      (repeated) => [{ filename: repeated, content: repeated, cid: repeated, contentType: repeated }],
      (repeated) => ({ 'x-a': repeated, [`x-${repeated}`]: 'b', [repeated]: 1 }),
    );
    const mail = fc.record({ piece, field, form });
    await fc.assert(
      fc.asyncProperty(mail, async (one) => {
        const value = one.form(filled(one.piece, bytes / 4));
        const { cpuMs, status } = await reader.cost(
          JSON.stringify({
            refused: 1,
            subject: 's',
            html: '<p>',
            attachments: [{ filename: 'a', content: '', cid: 'c' }],
            [one.field]: value,
          }),
        );
        expect(status).toBe(400);
        expect(cpuMs).toBeLessThan(limit);
      }),
      { numRuns: 40 },
    );
  });
});
