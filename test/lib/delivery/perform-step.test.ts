import { describe, expect, test } from 'vitest';
import { performAfterAttempt, performAfterLookUp } from '../../../src/lib/delivery/perform-step.ts';
import type { Attempt } from '../../../src/lib/ledger/ledger-row.ts';
import { recordSent } from '../../../src/lib/ledger/transitions.ts';
import { canBeStart, oddly } from '../../../src/lib/sending/mailbox-lane.ts';
import type { StepAfterAttempt, StepAfterLookUp } from '../../../src/lib/sending/next-step.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { inMemoryPorts, NOW, type PortCall, type World } from '../../support/in-memory-ports.ts';

const { mailId, content, rows, envelope, stored } = aDelivery();
const attempt: Attempt = { at: NOW.toISOString(), outcome: 'unknown', graphRequestId: 'r-1' };
const reason = { code: 'GRAPH_THROTTLED' } as const;
const doubt = { code: 'OUTCOME_UNKNOWN' } as const;

const recordIt = { kind: 'record-sent' } as const;
const reject = { kind: 'reject', reason: { code: 'MAILBOX_NOT_FOUND' } } as const;
const sendLater = { kind: 'send-later', reason, waitMs: 60_000, isResend: false } as const;
const resend = { kind: 'send-later', reason: doubt, waitMs: 5000, isResend: true } as const;
const lookUpLater = { kind: 'look-up-later', waitMs: 18_000, lookUps: 0 } as const;
const holdIt = { kind: 'hold', why: 'doubt', reason: doubt } as const;

/** A relay in the middle of an attempt, whose content is stored apart. */
const attempting = (more: object = {}) => {
  const world = inMemoryPorts();
  const entry = world.ledger.create(rows.sending)!;
  const readOriginal = async () => content;
  const ended = { ...entry, attempt, envelope: stored, readOriginal, ...more };
  return { world, perform: (step: StepAfterAttempt) => performAfterAttempt(world.needs, ended, step, NOW) };
};

/** Another invocation writes the row just before this one. */
const beatenIn = ({ ledger, meanwhile }: World) =>
  meanwhile('ledger.replace', () => {
    const { row, etag } = ledger.find(mailId)!;
    ledger.replace(row, etag);
  });

describe('after an attempt', () => {
  test.each<[string, StepAfterAttempt, readonly string[]]>([
    [
      'is logged before anything can fail, told and recorded as sent, and then its content is deleted',
      recordIt,
      ['log MailSent', 'events.put', 'ledger.replace sent', 'payloads.delete'],
    ],
    [
      'is told and recorded as rejected',
      reject,
      ['log MailRejected', 'events.put', 'ledger.replace rejected'],
    ],
    [
      'is put on the queue before the ledger says so',
      sendLater,
      ['mailQueue.put', 'log MailQueued', 'ledger.replace deferred'],
    ],
    [
      'is put on the queue to be resent, without saying twice why',
      resend,
      ['mailQueue.put', 'ledger.replace deferred'],
    ],
    [
      'is put on the queue to be looked for before the ledger says so',
      lookUpLater,
      ['mailQueue.put', 'ledger.replace unknown'],
    ],
    [
      'is held with its content before that is deleted from where it was',
      holdIt,
      ['records.store', 'events.put', 'ledger.replace held', 'log MailHeld', 'payloads.delete'],
    ],
  ])('an email %s', async (_case, step, effects) => {
    const { world, perform } = attempting();
    const { row, isBeaten } = await perform(step);
    expect(world.effects).toEqual(effects);
    expect(isBeaten).toBe(false);
    expect(world.ledger.rows()).toEqual([row]);
    expect(row.progress.attempts).toEqual([attempt]);
  });

  test.each<[string, StepAfterAttempt, object]>([
    ['to be sent', sendLater, { phase: 'send', delayMs: 60_000, turn: 1 }],
    [
      'to be resent, so that this is its only one',
      resend,
      { phase: 'send', delayMs: 5000, turn: 1, resent: true },
    ],
    [
      'to be looked for, from the first look-up',
      lookUpLater,
      { phase: 'look-up', delayMs: 18_000, turn: 1, lookUps: 0 },
    ],
  ])('message and row have the same turn, one above the last: %s', async (_case, step, message) => {
    const { world, perform } = attempting({ envelope: { ...stored, lookUps: 4 } });
    const { row } = await perform(step);
    expect(world.queued()).toMatchObject([message]);
    expect(row.progress).toMatchObject({ turn: 1, inQueue: true, resent: step === resend });
  });

  test.each([sendLater, resend, lookUpLater])(
    'the start that was used is not kept for it any more, and it still says that it has waited: $kind',
    async (step) => {
      const { world, perform } = attempting({ envelope: { ...stored, dueAt: NOW } });
      await perform(step);
      const [message] = world.queued();
      expect(message).toHaveProperty('dueAt', new Date(oddly(NOW.getTime())));
      expect([NOW.getTime(), oddly(NOW.getTime())].map(canBeStart)).toEqual([true, false]);
    },
  );

  test('a chance that was used stays used, also when the email then waits for something else', async () => {
    const resent = { ...rows.sending, progress: { ...rows.sending.progress, resent: true } };
    for (const step of [sendLater, lookUpLater]) {
      const world = inMemoryPorts();
      const entry = world.ledger.create(resent)!;
      const ended = { ...entry, attempt, envelope, readOriginal: async () => content };
      await performAfterAttempt(world.needs, ended, step, NOW);
      expect(world.queued()).toMatchObject([{ resent: true }]);
      expect(world.row(mailId)?.resent).toBe(true);
    }
  });

  test('the log names the mail, its caller, the attempt and what Graph said, and nothing else', async () => {
    const { world, perform } = attempting();
    await perform(recordIt);
    expect(world.logged).toEqual([
      {
        event: 'MailSent',
        caller: 'queue',
        mailId,
        attempts: 1,
        graphRequestId: 'r-1',
        recipients: 1,
        tags: [],
        verified: false,
        tookMs: expect.any(Number),
        queuedMs: expect.any(Number),
      },
    ]);
  });

  test('the content of an unfinished attempt found elsewhere is kept, as a message that knows more may still come', async () => {
    const { world, perform } = attempting({ foundUnfinished: true });
    await perform(holdIt);
    expect(world.effects).not.toContain('payloads.delete');
  });
});

describe('when storage fails after an attempt', () => {
  test.each<[PortCall, StepAfterAttempt, readonly string[]]>([
    ['mailQueue.put', sendLater, []],
    ['mailQueue.put', lookUpLater, []],
    ['ledger.replace', recordIt, ['log MailSent', 'events.put']],
    ['ledger.replace', reject, ['log MailRejected', 'events.put']],
    ['records.store', holdIt, []],
    ['ledger.replace', holdIt, ['records.store', 'events.put']],
  ])(
    'at %s, nothing that would come later is done, and the row still says sending',
    async (call, step, effects) => {
      const { world, perform } = attempting();
      world.fail(call);
      await expect(perform(step)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      expect(world.effects).toEqual(effects);
      expect(world.ledger.rows()).toEqual([rows.sending]);
    },
  );

  test.each([recordIt, reject, holdIt])(
    'and the event cannot be told, the outcome is written all the same: $kind',
    async (step) => {
      const { world, perform } = attempting();
      world.fail('events.put');
      expect(await perform(step)).toMatchObject({ isBeaten: false });
      expect(world.ledger.rows()).toMatchObject([{ progress: { untold: true } }]);
      expect(world.ledger.rows()).not.toMatchObject([{ fate: { state: 'sending' } }]);
      expect(world.logged).toContainEqual(expect.objectContaining({ event: 'EventUntold', mailId }));
    },
  );

  test.each([sendLater, resend, lookUpLater])(
    'but the message is on the queue, it says what the row should: $kind',
    async (step) => {
      const { world, perform } = attempting();
      world.fail('ledger.replace');
      expect(await perform(step)).toMatchObject({ isBeaten: true });
      expect(world.messages).toHaveLength(1);
      expect(world.logged.at(-1)).toMatchObject({ event: 'LedgerBehind', mailId });
    },
  );

  test('what was not foreseen is thrown as it is', async () => {
    const { world, perform } = attempting();
    world.fail('ledger.replace', new TypeError('a fault'));
    await expect(perform(recordIt)).rejects.toThrow(TypeError);
  });
});

describe('when another invocation writes the row first after an attempt', () => {
  test('what Graph accepted is still told as sent, and its content is kept for the other', async () => {
    const { world, perform } = attempting();
    beatenIn(world);
    expect((await perform(recordIt)).isBeaten).toBe(true);
    expect(world.effects).toEqual(['log MailSent', 'events.put', 'ledger.replace sent', 'log LedgerBehind']);
  });

  test('nothing is told as held, its content is kept, and the row is the one of the other', async () => {
    const { world, perform } = attempting();
    world.meanwhile('ledger.replace', () =>
      world.ledger.replace(recordSent(rows.sending, attempt, NOW), world.ledger.find(mailId)!.etag),
    );
    const { row, isBeaten } = await perform(holdIt);
    expect([row.fate.state, isBeaten]).toEqual(['sent', true]);
    expect(world.effects).not.toContain('payloads.delete');
    expect(world.logged).toEqual([{ event: 'LedgerBehind', mailId, state: 'held' }]);
  });
});

describe('after a look-up', () => {
  type Step = Exclude<StepAfterLookUp, { kind: 'send-now' | 'remove-draft' }>;

  const looking = () => {
    const world = inMemoryPorts();
    const entry = world.ledger.create(rows.unknown)!;
    const looked = { ...entry, envelope: { ...stored, turn: 1 }, readOriginal: async () => content };
    return { world, perform: (step: Step) => performAfterLookUp(world.needs, looked, step, NOW) };
  };

  test.each<[string, Step, readonly string[]]>([
    [
      'found is told and recorded as sent, and then its content is deleted',
      recordIt,
      ['events.put', 'ledger.replace sent', 'log MailSent', 'payloads.delete'],
    ],
    [
      'not seen yet goes back to the queue, and its row stays as it is',
      { ...lookUpLater, lookUps: 2 },
      ['mailQueue.put'],
    ],
    [
      'in doubt is held with its content before that is deleted from where it was',
      holdIt,
      ['records.store', 'events.put', 'ledger.replace held', 'log MailHeld', 'payloads.delete'],
    ],
  ])('an email %s', async (_case, step, effects) => {
    const { world, perform } = looking();
    const { row, isBeaten } = await perform(step);
    expect(world.effects).toEqual(effects);
    expect(isBeaten).toBe(false);
    expect(world.ledger.rows()).toEqual([row]);
    // A look-up is no attempt.
    expect(row.progress.attempts).toEqual(rows.unknown.progress.attempts);
  });

  test('an email that was found is sent, verified', async () => {
    const { world, perform } = looking();
    await perform(recordIt);
    expect(world.rows()).toMatchObject([{ state: 'sent', verified: true }]);
    expect(world.logged).toMatchObject([{ event: 'MailSent', attempts: 1, verified: true }]);
  });

  test('a look-up that follows has the same turn, and how many were made', async () => {
    const { world, perform } = looking();
    await perform({ ...lookUpLater, lookUps: 2 });
    expect(world.queued()).toMatchObject([{ phase: 'look-up', turn: 1, lookUps: 2, delayMs: 18_000 }]);
  });

  test.each([recordIt, holdIt])(
    'whoever wrote the row first has told of it and needs its content: $kind',
    async (step) => {
      const { world, perform } = looking();
      beatenIn(world);
      expect((await perform(step)).isBeaten).toBe(true);
      expect(world.logged.map(({ event }) => event)).toEqual(['LedgerBehind']);
      expect(world.effects).not.toContain('payloads.delete');
    },
  );

  test.each<[PortCall, Step]>([
    ['mailQueue.put', lookUpLater],
    ['ledger.replace', recordIt],
    ['records.store', holdIt],
  ])('storage that fails at %s leaves the row to be looked for', async (call, step) => {
    const { world, perform } = looking();
    world.fail(call);
    await expect(perform(step)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(world.ledger.rows()).toEqual([rows.unknown]);
    expect(world.logged).toEqual([]);
  });
});
