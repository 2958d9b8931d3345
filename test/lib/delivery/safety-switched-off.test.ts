import { describe, expect, test } from 'vitest';
import { deliverMail } from '../../../src/lib/delivery/deliver-mail.ts';
import { sendMail } from '../../../src/lib/delivery/send-mail.ts';
import { closeMail } from '../../../src/lib/desk/close-mail.ts';
import { replayMail } from '../../../src/lib/desk/replay-mail.ts';
import { NO_SAFETY, type Safety } from '../../../src/lib/sending/safety.ts';
import { aCaller, aDeclaredCaller, knowing } from '../../support/a-caller.ts';
import { aMail } from '../../support/a-mail.ts';
import { A_PASSENGER, aPacer } from '../../support/a-pacer.ts';
import { inMemoryPorts, NOW, type World } from '../../support/in-memory-ports.ts';

const HOUR_MS = 3_600_000;
const TESTER = 'test-inbox@contoso.example';
const REDIRECT: Safety = { ...NO_SAFETY, redirectTo: { address: TESTER } };
const CAPTURE: Safety = { ...NO_SAFETY, capture: true };
const OTHERS: Safety = {
  ...NO_SAFETY,
  recipientDomains: ['*@contoso.example'],
  otherRecipients: 'capture',
};
const THROTTLED = { kind: 'answered', status: 429, upstreamCode: 'TooManyRequests' } as const;
const TAKEN = { kind: 'answered', status: 202 } as const;
const mail = aMail({ to: 'chan@real.example' });
const caller = aCaller('key:test');

/** A relay whose settings can be changed. */
const relay = (safety: Safety, world: World = inMemoryPorts()) => {
  let now = safety;
  const needs = () => ({
    ...world.needs,
    callers: knowing(aDeclaredCaller('key:test'), aDeclaredCaller('queue')),
    accept: { ...world.needs.accept, safety: now },
    safety: now,
  });
  const deliver = (text: string, messageId?: string) =>
    deliverMail(
      { ...needs(), sending: needs() },
      {
        text,
        ...(messageId === undefined ? {} : { messageId }),
        insertedAt: NOW,
        caller: 'queue',
        redelivered: false,
      },
    );
  return {
    ...world,
    needs,
    set: (next: Safety) => {
      now = next;
    },
    send: (input: object = mail, respondAsync = true) =>
      sendMail(needs(), { input, caller, respondAsync, idempotencyKey: 'order-1' }),
    put: () => deliver(JSON.stringify(mail), '8d9c1f0e-5b3a-4c1d-9a55-5c4f2f8a7b61'),
    /** The next message on the queue is delivered when its time has come. */
    comeBack: async () => {
      const next = world.messages.shift();
      if (next === undefined) throw new Error('expected a message on the queue');
      world.pass(next.delayMs);
      await deliver(next.text);
    },
    recipients: () =>
      world.plans.flatMap(({ body }) =>
        JSON.parse(body.toString()).message.toRecipients.map(
          (one: { emailAddress: { address: string } }) => one.emailAddress.address,
        ),
      ),
    only: () => {
      const [row, ...others] = world.rows();
      expect(others).toEqual([]);
      return row;
    },
  };
};

/** Ways in which an email that was accepted waits. */
const waiting: readonly (readonly [string, (safety: Safety) => Promise<ReturnType<typeof relay>>])[] = [
  [
    'is on the queue',
    async (safety) => {
      const one = relay(safety);
      await one.send();
      return one;
    },
  ],
  [
    'waits for its time',
    async (safety) => {
      const one = relay(safety);
      await one.send({ ...mail, sendAt: new Date(NOW.getTime() + 2 * HOUR_MS).toISOString() }, false);
      return one;
    },
  ],
  [
    'came by the queue and waits for room in its mailbox',
    async (safety) => {
      const world = inMemoryPorts();
      const pacer = aPacer({ clock: world.needs.clock, perMinute: 1 });
      await pacer.enter('noreply@contoso.example', A_PASSENGER);
      const one = relay(safety, { ...world, needs: { ...world.needs, pacer } });
      await one.put();
      return one;
    },
  ],
  [
    'is deferred by Graph',
    async (safety) => {
      const one = relay(safety);
      one.answer(THROTTLED);
      await one.send(mail, false);
      one.answer(TAKEN);
      one.plans.length = 0;
      return one;
    },
  ],
];

const promises: readonly (readonly [string, Safety])[] = [
  ['redirected', REDIRECT],
  ['captured', CAPTURE],
  ['captured, as its recipient is another', OTHERS],
];

/** Captured emails do not wait for room, nor for Graph. */
const cases = waiting.flatMap(([how, arrange], index) =>
  promises
    .filter(([, safety]) => index < 2 || safety === REDIRECT)
    .map(([promise, safety]) => [how, promise, safety, arrange] as const),
);

describe.each(cases)('an email that %s and was to be %s', (_how, _promise, safety, arrange) => {
  test('goes to nobody once the setting is switched off: it is held, and says why', async () => {
    const one = await arrange(safety);
    one.set(NO_SAFETY);
    await one.comeBack();
    expect(one.only()).toMatchObject({
      state: 'held',
      why: 'refused',
      hasContent: true,
      reason: { code: 'SAFETY_SWITCHED_OFF' },
    });
    expect([one.plans, one.messages, one.captured()]).toEqual([[], [], []]);
    expect(one.announced.at(-1)).toMatchObject({ data: { state: 'held', code: 'SAFETY_SWITCHED_OFF' } });
  });

  test('goes to its recipients when an operator decides so after that', async () => {
    const one = await arrange(safety);
    one.set(NO_SAFETY);
    await one.comeBack();
    const replayed = await replayMail(one.needs(), one.only()?.mailId ?? '');
    expect(replayed).not.toHaveProperty('redirected');
    expect(replayed).not.toHaveProperty('captured');
    one.pass(HOUR_MS);
    await one.comeBack();
    expect(one.only()).toMatchObject({ state: 'sent' });
    expect(one.recipients()).toEqual(['chan@real.example']);
  });

  test('and replayed with the setting on again, is kept from them, and says so in the answer', async () => {
    const one = await arrange(safety);
    one.set(NO_SAFETY);
    await one.comeBack();
    one.set(safety);
    const replayed = await replayMail(one.needs(), one.only()?.mailId ?? '');
    expect(replayed).toMatchObject(safety === REDIRECT ? { redirected: true } : { captured: true });
    one.set(NO_SAFETY);
    await one.comeBack();
    expect(one.only()).toMatchObject({ state: 'held', reason: { code: 'SAFETY_SWITCHED_OFF' } });
    expect(one.plans).toEqual([]);
  });

  test('and closed, ends without being sent', async () => {
    const one = await arrange(safety);
    one.set(NO_SAFETY);
    await one.comeBack();
    await closeMail(one.needs(), one.only()?.mailId ?? '', 'test data');
    expect(one.only()).toMatchObject({ state: 'closed' });
    expect(one.plans).toEqual([]);
  });

  test('goes the way of another setting that is on instead', async () => {
    const one = await arrange(safety);
    one.set(safety.capture ? REDIRECT : CAPTURE);
    one.pass(HOUR_MS);
    await one.comeBack();
    expect(one.only()).toMatchObject(
      safety.capture ? { state: 'sent', redirected: true } : { state: 'captured', captured: true },
    );
    expect(one.only()).not.toHaveProperty(safety.capture ? 'captured' : 'redirected');
    expect(one.recipients()).toEqual(safety.capture ? [TESTER] : []);
  });

  test('is as it was where the setting stays on', async () => {
    const one = await arrange(safety);
    one.pass(HOUR_MS);
    await one.comeBack();
    expect(one.only()).toMatchObject({ state: safety === REDIRECT ? 'sent' : 'captured' });
    expect(one.recipients()).toEqual(safety === REDIRECT ? [TESTER] : []);
  });
});

test('an email that is replayed, and delivered before the replay is written down, is sent as well', async () => {
  const one = relay(REDIRECT);
  await one.send();
  one.set(NO_SAFETY);
  await one.comeBack();
  one.meanwhile('ledger.replace', () => one.comeBack());
  await replayMail(one.needs(), one.only()?.mailId ?? '');
  expect(one.only()).toMatchObject({ state: 'sent' });
  expect(one.recipients()).toEqual(['chan@real.example']);
});

test('a replay while settings are wrong does not forget that an email was to be redirected', async () => {
  const one = relay(REDIRECT);
  await one.send();
  one.set(NO_SAFETY);
  await one.comeBack();
  const { safety: _, ...unknown } = one.needs();
  await replayMail(unknown, one.only()?.mailId ?? '');
  await one.comeBack();
  expect(one.only()).toMatchObject({ state: 'held', reason: { code: 'SAFETY_SWITCHED_OFF' } });
});

test('an email that waits for the limit of its caller, and was to be redirected, is held too', async () => {
  const one = relay(REDIRECT);
  const limited = () => ({
    ...one.needs(),
    callers: knowing(aDeclaredCaller('queue', { rules: { mailsPerDay: 1 } })),
  });
  const deliver = (text: string) =>
    deliverMail(
      { ...limited(), sending: limited() },
      { text, insertedAt: NOW, caller: 'queue', redelivered: false },
    );
  await deliver(JSON.stringify(mail));
  await deliver(JSON.stringify({ ...mail, subject: 'The second' }));
  expect(one.rows().map(({ state }) => state)).toEqual(['sent', 'queued']);
  one.set(NO_SAFETY);
  one.pass(24 * HOUR_MS);
  await deliver(one.messages.shift()?.text ?? '');
  expect(one.rows()[1]).toMatchObject({ state: 'held', reason: { code: 'SAFETY_SWITCHED_OFF' } });
  expect(one.recipients()).toEqual([TESTER]);
});

test('a request that was rejected and comes again goes by the settings of now: nothing was accepted before', async () => {
  const one = relay(REDIRECT);
  one.answer({ kind: 'answered', status: 403, upstreamCode: 'Authorization_RequestDenied' });
  await expect(one.send(mail, false)).rejects.toThrow();
  one.set(NO_SAFETY);
  one.answer(TAKEN);
  expect((await one.send(mail, false)).row.progress).not.toHaveProperty('redirected');
  expect(one.recipients()).toEqual([TESTER, 'chan@real.example']);
});

test('an email that was accepted for its recipients goes to them, whatever was on in between', async () => {
  const one = relay(NO_SAFETY);
  await one.send();
  one.set(REDIRECT);
  one.set(NO_SAFETY);
  await one.comeBack();
  expect(one.recipients()).toEqual(['chan@real.example']);
});
