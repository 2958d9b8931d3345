import { describe, expect, test } from 'vitest';
import { type PollBouncesNeeds, pollBounces } from '../../../src/lib/delivery/poll-bounces.ts';
import { makeTellOwner } from '../../../src/lib/delivery/tell-owner-of-bounce.ts';
import { makeWatchSender } from '../../../src/lib/delivery/watch-sender.ts';
import { isBounced, type LedgerRow, type MailFacts } from '../../../src/lib/ledger/ledger-row.ts';
import { claimNew, recordRejected, recordSent } from '../../../src/lib/ledger/transitions.ts';
import { aDeclaredCaller, knowing } from '../../support/a-caller.ts';
import { aNewMail } from '../../support/a-new-mail.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts, NOW, type PortCall } from '../../support/in-memory-ports.ts';

const MINUTE_MS = 60_000;
const SENDER = 'noreply@contoso.example';
const idOf = (number: number) => `01a20556-8aab-77d5-aa30-${String(number).padStart(12, '0')}`;
const addressOf = (number: number) => `person-${number}@fabrikam.example`;
const at = (minutes: number) => new Date(NOW.getTime() + minutes * MINUTE_MS);

const accepted = { at: NOW.toISOString(), outcome: 'accepted' } as const;
const claimed = (number: number) =>
  claimNew(
    aNewMail(NOW, {
      mailId: idOf(number),
      sender: SENDER,
      recipientHashes: [IDENTITY.hashOfAddress(addressOf(number))],
    }),
    true,
    NOW,
  );

/** A report that Exchange has written about an email. */
const reportOf = (number: number, minutes: number) => ({
  id: `report-${number}`,
  receivedAt: at(minutes),
  itemClass: 'REPORT.IPM.Note.NDR',
  headers: [{ name: 'In-Reply-To', value: `<${number}@contoso.example>` }],
  toAddresses: [addressOf(number)],
  mime: [
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
    '',
    '--b',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx',
    '',
    `Final-Recipient: rfc822; ${addressOf(number)}`,
    'Action: failed',
    'Status: 5.1.1',
    '',
    '--b--',
  ].join('\r\n'),
});

const message = (id: string, minutes: number) => ({
  ...{ id, receivedAt: at(minutes), itemClass: 'IPM.Note', headers: [], toAddresses: [SENDER] },
  mime: 'Subject: Undeliverable\r\n\r\nNot a report.',
});

/** A relay that has sent so many emails, each with a copy in Sent Items. */
const relay = (
  mails = 1,
  row: (number: number) => LedgerRow = (number) => recordSent(claimed(number), accepted, NOW),
) => {
  const world = inMemoryPorts();
  for (let number = 1; number <= mails; number += 1) {
    world.ledger.create(row(number));
    world.received.sent.set(`<${number}@contoso.example>`, idOf(number));
  }
  world.watched.note({ address: SENDER, lastSentAt: NOW.toISOString() });
  const poll = (change: Partial<PollBouncesNeeds> = {}) => pollBounces({ ...world.needs, ...change });
  const bounced = () =>
    world.ledger
      .rows()
      .filter(isBounced)
      .map(({ facts }) => facts.mailId);
  const counted = () => world.logged.filter(({ event }) => event === 'MailBounced').length;
  const last = () => world.logged.findLast(({ event }) => event === 'BouncesPolled');
  return { ...world, poll, bounced, counted, last };
};

describe('a poll', () => {
  test('reads every page, looks into reports alone, and reads none twice', async () => {
    const { received, poll, bounced, effects, last } = relay(3);
    received.inbox.push(message('m1', 1), reportOf(1, 2), message('m2', 3), reportOf(2, 4), reportOf(3, 5));
    await poll();
    expect(bounced()).toEqual([idOf(1), idOf(2), idOf(3)]);
    expect(effects.filter((one) => one === 'receivedMail.readMime')).toHaveLength(3);
    expect(last()).toMatchObject({ mailboxes: 1, messages: 5, reports: 3, recorded: 3, unmatched: 0 });
    await poll();
    expect(effects.filter((one) => one === 'receivedMail.readMime')).toHaveLength(3);
  });

  test('writes one line to the log about a report, however many recipients it is about', async () => {
    const addresses = Array.from({ length: 40 }, (_, number) => `r${number}@fabrikam.example`);
    const { received, poll, logged } = relay(1, (number) => {
      const { facts, ...row } = recordSent(claimed(number), accepted, NOW);
      const recipientHashes = addresses.map(IDENTITY.hashOfAddress);
      return { ...row, facts: { ...facts, recipients: addresses.length, recipientHashes } };
    });
    const report = reportOf(1, 1);
    const block = (address: string) =>
      [`Final-Recipient: rfc822; ${address}`, 'Action: failed', 'Status: 5.1.1', ''].join('\r\n');
    received.inbox.push({
      ...report,
      mime: report.mime.replace(block(addressOf(1)), addresses.map(block).join('\r\n')),
    });
    await poll();
    expect(logged.filter(({ event }) => event === 'MailBounced')).toEqual([
      {
        event: 'MailBounced',
        ...{ mailId: idOf(1), caller: 'key:test', matchedBy: 'sent-items', recipients: 40 },
        ...{ code: '5.1.1', kind: 'permanent' },
      },
    ]);
  });

  test('goes on where the last one ended, and stays behind the present by half an hour', async () => {
    const { received, poll, bounced, watched, pass } = relay(2);
    received.inbox.push(reportOf(1, 1));
    pass(60 * MINUTE_MS);
    await poll();
    expect(watched.list()[0]?.state?.readUpTo).toBe(at(1).toISOString());
    received.inbox.push(reportOf(2, 61));
    pass(2 * MINUTE_MS);
    await poll();
    expect(bounced()).toEqual([idOf(1), idOf(2)]);
    expect(watched.list()[0]?.state?.readUpTo).toBe(at(32).toISOString());
  });

  test('sees a message that shows late, before one that it has read', async () => {
    const { received, poll, bounced, pass } = relay(2);
    received.inbox.push(reportOf(1, 2));
    pass(3 * MINUTE_MS);
    await poll();
    received.inbox.push(reportOf(2, 1));
    await poll();
    expect(bounced()).toEqual([idOf(1), idOf(2)]);
  });

  test('leaves a mailbox alone from which nothing was sent for six days', async () => {
    const { poll, watched, pass, effects } = relay(1);
    pass(6 * 24 * 60 * MINUTE_MS);
    await poll();
    expect(watched.list()).toEqual([]);
    expect(effects).not.toContain('receivedMail.list');
  });

  test('that fails for one mailbox reads the others', async () => {
    const { poll, watched, received, bounced, needs } = relay(1);
    watched.note({ address: 'sick@contoso.example', lastSentAt: NOW.toISOString() });
    received.inbox.push(reportOf(1, 1));
    const { receivedMail } = needs;
    const list: typeof receivedMail.list = async (mailbox, ...rest) =>
      mailbox.startsWith('sick') ? { kind: 'not-now' } : receivedMail.list(mailbox, ...rest);
    await poll({ receivedMail: { ...receivedMail, list } });
    expect(bounced()).toEqual([idOf(1)]);
  });

  test('does not ask again before Graph wants it', async () => {
    const { poll, needs, pass } = relay(1);
    let asked = 0;
    const list = async () => {
      asked += 1;
      return { kind: 'not-now', waitMs: 20 * MINUTE_MS } as const;
    };
    const pollThrottled = () => poll({ receivedMail: { ...needs.receivedMail, list } });
    await pollThrottled();
    pass(19 * MINUTE_MS);
    await pollThrottled();
    expect(asked).toBe(1);
    pass(MINUTE_MS);
    await pollThrottled();
    expect(asked).toBe(2);
  });

  test('searches the ledger for a bounded number of reports, whoever sends how many', async () => {
    const { received, poll, needs, pass, last } = relay(1);
    let searches = 0;
    const list = async () => {
      searches += 1;
      return [];
    };
    for (let number = 100; number < 200; number += 1) received.inbox.push(reportOf(number, 1));
    pass(40 * MINUTE_MS);
    await poll({ mailIndex: { ...needs.mailIndex, list } });
    expect(last()).toMatchObject({ unmatched: 80, unfinished: 1 });
    expect(searches).toBe(40);
  });
});

describe('a report', () => {
  test('of an email that is not said to be sent yet waits for it', async () => {
    const { received, poll, bounced, ledger, pass, last } = relay(1, claimed);
    received.inbox.push(reportOf(1, 1));
    await poll();
    expect(bounced()).toEqual([]);
    const entry = ledger.find(idOf(1));
    ledger.replace(recordSent(claimed(1), accepted, NOW), entry?.etag ?? '');
    // Long after the list has gone beyond the report.
    pass(24 * 60 * MINUTE_MS);
    await poll();
    expect(bounced()).toEqual([idOf(1)]);
    expect(last()).toMatchObject({ recorded: 1, waiting: 0 });
  });

  test('of an email that was never sent is left alone, and counted', async () => {
    const reason = { code: 'GRAPH_THROTTLED' } as const;
    const { received, poll, last } = relay(1, (number) =>
      recordRejected(claimed(number), accepted, reason, NOW),
    );
    received.inbox.push(reportOf(1, 1));
    await poll();
    expect(last()).toMatchObject({ reports: 1, unmatched: 1 });
  });

  test('of the copy of a redirected email says nothing of its recipients, and is in the log as what it is', async () => {
    const { received, poll, bounced, logged, announced, last } = relay(1, (number) => {
      const row = recordSent(claimed(number), accepted, NOW);
      return { ...row, progress: { ...row.progress, redirected: true } };
    });
    // The address of the test environment is a recipient of the email, too.
    received.inbox.push(reportOf(1, 1));
    await poll();
    expect([bounced(), announced]).toEqual([[], []]);
    expect(logged).toContainEqual({
      event: 'RedirectReported',
      mailId: idOf(1),
      status: 'failed',
      code: '5.1.1',
    });
    expect(last()).toMatchObject({ reports: 1, recorded: 0 });
  });

  test('that comes a second time for the same recipient is not counted again', async () => {
    const { received, poll, counted, announced } = relay(1);
    received.inbox.push(reportOf(1, 1), { ...reportOf(1, 2), id: 'again' });
    await poll();
    expect([counted(), announced.length]).toEqual([1, 1]);
  });
});

describe('wherever a poll is cut short, the next one makes up for it', () => {
  const steps: readonly PortCall[] = [
    'receivedMail.list',
    'receivedMail.readMime',
    'receivedMail.findSent',
    'ledger.find',
    'events.put',
    'ledger.replace',
    'watchedMailboxes.write',
  ];

  test.each(
    steps.flatMap(
      (step) =>
        [
          [step, 'does not happen'],
          [step, 'happens, and nobody learns of it'],
        ] as const,
    ),
  )('%s %s', async (step, how) => {
    const { received, poll, bounced, counted, announced, mend, ...world } = relay(5);
    for (let number = 1; number <= 5; number += 1) received.inbox.push(reportOf(number, number));
    if (how === 'does not happen') world.fail(step);
    else world.loseAnswer(step);
    await poll().catch(() => undefined);
    mend();
    await poll();
    expect(bounced()).toEqual([1, 2, 3, 4, 5].map(idOf));
    // The log counts once, or not at all where the process ended in between; events can come twice, with the same id.
    expect(counted()).toBeLessThanOrEqual(5);
    expect(new Set(announced.map(({ id }) => id)).size).toBe(5);
  });

  test('two instances that poll together count each report once', async () => {
    const { received, poll, bounced, counted } = relay(5);
    for (let number = 1; number <= 5; number += 1) received.inbox.push(reportOf(number, number));
    await Promise.all([poll(), poll()]);
    expect([bounced().length, counted()]).toEqual([5, 5]);
  });
});

describe('the owner of a caller receives an email', () => {
  const owned = (rules = {}) =>
    knowing(aDeclaredCaller('payroll', { rules: { owner: 'owner@contoso.example', ...rules } }));
  const ofCaller =
    (caller: string, change: Partial<MailFacts> = {}) =>
    (number: number) =>
      recordSent(
        { ...claimed(number), facts: { ...claimed(number).facts, caller, ...change } },
        accepted,
        NOW,
      );
  const telling = (world: ReturnType<typeof relay>, language: 'en' | 'zh-Hant' = 'en') => ({
    tellOwner: makeTellOwner({ ...world.needs, callers: owned(), language }),
  });
  const mails = (world: ReturnType<typeof relay>) =>
    world.messages.map(({ text }) => Buffer.from(text, 'base64').toString());

  test('that one of its emails bounced, once, with the recipient, the cause and the remedy', async () => {
    const world = relay(1, ofCaller('payroll', { recipientAddresses: [addressOf(1)] }));
    world.received.inbox.push(reportOf(1, 1), { ...reportOf(1, 2), id: 'again' });
    await world.poll(telling(world));
    await world.poll(telling(world));
    const [mail, ...more] = mails(world);
    expect(more).toEqual([]);
    for (const part of [
      'owner@contoso.example',
      idOf(1),
      addressOf(1),
      'Recipient 1 of 1',
      '5.1.1',
      'does not exist',
      'Correct the address',
    ])
      expect(mail).toContain(part);
  });

  test('in the language of the settings', async () => {
    const world = relay(1, ofCaller('payroll'));
    world.received.inbox.push(reportOf(1, 1));
    await world.poll(telling(world, 'zh-Hant'));
    expect(mails(world)[0]).toContain('收件者的郵件伺服器上沒有這個地址');
  });

  test.each([
    ['of an email that the relay wrote, such as this notice', 'warnExpiringSecrets'],
    ['if the caller has no owner', 'nobody'],
  ])('never %s', async (_case, caller) => {
    const world = relay(1, ofCaller(caller));
    world.received.inbox.push(reportOf(1, 1));
    await world.poll(telling(world));
    expect([world.bounced().length, world.messages.length]).toEqual([1, 0]);
  });

  test('at most five times in a poll', async () => {
    const world = relay(8, ofCaller('payroll'));
    for (let number = 1; number <= 8; number += 1) world.received.inbox.push(reportOf(number, number));
    await world.poll(telling(world));
    expect([world.bounced().length, world.messages.length]).toEqual([8, 5]);
  });
});

describe('a mailbox is watched', () => {
  test('from the first email of an hour on, which costs one write', async () => {
    const { needs, effects, pass, watched } = relay(0);
    const watchSender = makeWatchSender(needs);
    const row = claimed(1);
    await watchSender(row);
    await watchSender(row);
    expect(effects.filter((one) => one === 'watchedMailboxes.note')).toHaveLength(1);
    pass(60 * MINUTE_MS);
    await watchSender(row);
    expect(watched.list().map(({ mailbox }) => mailbox.lastSentAt)).toEqual([at(60).toISOString()]);
  });

  test('by the next email where storage fails, which does not keep this one from being sent', async () => {
    const { needs, fail, mend, watched } = relay(0);
    const watchSender = makeWatchSender({ ...needs, watchedMailboxes: { ...needs.watchedMailboxes } });
    for (const one of watched.list()) watched.forget(one.mailbox);
    fail('watchedMailboxes.note');
    await watchSender(claimed(1));
    mend();
    await watchSender(claimed(1));
    expect(watched.list()).toHaveLength(1);
  });
});
