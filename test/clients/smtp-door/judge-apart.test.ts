import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { judgeApart } from '../../../clients/smtp-door/src/message/judge-apart.ts';
import {
  type Arrival,
  type Judged,
  judgeMessage,
} from '../../../clients/smtp-door/src/message/judge-message.ts';
import type { Refusal } from '../../../clients/smtp-door/src/message/refusal.ts';
import { SCANNER } from './door-for-tests.ts';

const SETTINGS = { bareLineEnds: 'mend', otherRecipients: 'remove' } as const;
const PROGRAM = new URL('../../../clients/smtp-door/src/main.ts', import.meta.url);

const scan = (bytes: number, head = ''): Arrival => ({
  account: SCANNER,
  envelope: { from: 'scanner@contoso.com', to: ['chan@contoso.com'] },
  bytes: Buffer.from(
    `${head}To: chan@contoso.com\r\nMessage-ID: <scan-1@contoso.com>\r\nContent-Type: application/pdf; name=scan.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n${`${Buffer.alloc(57, 'é').toString('base64')}\r\n`.repeat(bytes / 78)}`,
  ),
});

describe('the threads that judge messages', () => {
  let alive = 0;
  let most = 0;
  let begun = 0;
  const count = (thread: Worker): void => {
    alive += 1;
    begun += 1;
    most = Math.max(most, alive);
    thread.once('exit', () => {
      alive -= 1;
    });
  };
  beforeEach(() => {
    [alive, most, begun] = [0, 0, 0];
    process.on('worker', count);
  });
  afterEach(() => void process.off('worker', count));

  test('take large ones, say the same, and are two at most', async () => {
    const judge = judgeApart(PROGRAM);
    const large = scan(2_500_000, 'From: scanner@contoso.com\r\n');
    // The key is a hash of the body.
    const facts = (judged: Judged | Refusal) =>
      'body' in judged ? { ...judged, body: judged.body.length } : judged;
    const all = await Promise.all([1, 2, 3].map(async () => facts(await judge(large, SETTINGS))));
    const here = facts(await judgeMessage(large, SETTINGS));
    expect(here).toMatchObject({ kind: 'email', contentType: 'application/json' });
    expect(all).toEqual([here, here, here]);
    expect(begun).toBe(3);
    expect(most).toBeLessThanOrEqual(2);
  });

  test('say why a large one cannot be sent', async () => {
    const large = scan(1_500_000, 'From: a@contoso.com, b@contoso.com\r\n');
    const refused = await judgeApart(PROGRAM)(large, SETTINGS);
    expect(refused).toEqual(await judgeMessage(large, SETTINGS));
    expect(refused.kind).toBe('refused');
    expect(begun).toBe(1);
  });

  test('are not needed for small ones, which wait for no large one', async () => {
    const judge = judgeApart(PROGRAM);
    const order: string[] = [];
    const judged = async (name: string, bytes: number): Promise<void> => {
      await judge(scan(bytes, 'From: scanner@contoso.com\r\n'), SETTINGS);
      order.push(name);
    };
    await Promise.all([judged('large', 2_500_000), judged('small', 1_000)]);
    expect(order).toEqual(['small', 'large']);
    expect(begun).toBe(1);
  });

  test('that need too much memory end with their message, not with the door', async () => {
    const greedy = new URL(
      `data:text/javascript,${encodeURIComponent('const all = []; for (;;) all.push(new Array(1e6).fill(all.length))')}`,
    );
    expect(await judgeApart(greedy, 32)(scan(1_500_000), SETTINGS)).toMatchObject({ code: 552 });
  });

  test('that end without a word are an error, and the next message has its turn', async () => {
    const silent = new URL('data:text/javascript,');
    const judge = judgeApart(silent);
    for (const _ of [1, 2, 3])
      await expect(judge(scan(1_500_000), SETTINGS)).rejects.toThrow('Expected a judgement of the thread');
  });
});
