import { describe, expect, test } from 'vitest';
import { readMailStatus } from '../../../src/lib/desk/mail-status.ts';
import { makeRecent } from '../../../src/lib/desk/message-id.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import { claimNew, recordMessageId, recordSent } from '../../../src/lib/ledger/transitions.ts';
import type { Sighting } from '../../../src/lib/sending/look-up-plan.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aNewMail } from '../../support/a-new-mail.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';

const { mailId, rows, facts } = aDelivery();
const MESSAGE_ID = '<AS8PR01MB1234@contoso.example>';
const FOUND: Sighting = { kind: 'found', internetMessageId: MESSAGE_ID };
const accepted = { at: NOW.toISOString(), outcome: 'accepted' } as const;
const never = () => new Promise<never>(() => undefined);
const second = 1000;

const asking = (row: LedgerRow = rows.sent) => {
  const world = inMemoryPorts();
  world.ledger.create(row);
  const needs = { ...world.needs, clock: { ...world.needs.clock, sleep: never } };
  const { senderPolicy } = world.needs.accept;
  const ask = (more: object = {}, id = mailId) =>
    readMailStatus({ ...needs, senderPolicy, ...more }, id, aCaller('queue'));
  return { ...world, ask };
};

describe('the status of an email that was sent has the Message-ID it went out with', () => {
  test('looked up in the mailbox of its sender, and then recorded', async () => {
    const { ask, show, looked, ledger } = asking();
    show(FOUND);
    expect(await ask()).toMatchObject({ state: 'sent', internetMessageId: MESSAGE_ID });
    expect(ledger.find(mailId)?.row).toEqual(recordMessageId(rows.sent, MESSAGE_ID));
    expect(await ask()).toMatchObject({ internetMessageId: MESSAGE_ID });
    expect(looked).toEqual([mailId]);
  });

  test('once the copy is there: until then it says so, and looks again every ten seconds at most', async () => {
    const { ask, show, looked, pass } = asking();
    for (let times = 0; times < 5; times += 1) {
      expect(await ask()).toMatchObject({ internetMessageIdUnknown: 'NOT_FOUND_YET' });
      pass(second);
    }
    expect(looked).toHaveLength(1);
    show(FOUND);
    pass(6 * second);
    expect(await ask()).toMatchObject({ internetMessageId: MESSAGE_ID });
    expect(looked).toHaveLength(2);
  });

  test('or says that there is no copy to look for, and asks nobody', async () => {
    const sending = claimNew({ ...facts, leavesCopy: false }, true, NOW);
    const { ask, looked } = asking(recordSent(sending, accepted, NOW));
    expect(await ask()).toMatchObject({ internetMessageIdUnknown: 'NO_COPY' });
    expect(looked).toEqual([]);
  });

  test('of which a caller with all senders of a domain hears only that it is not found yet, where the relay may not look', async () => {
    const { ask, show } = asking();
    show({ kind: 'cannot-tell', upstreamCode: 'ErrorAccessDenied' });
    const senderPolicy = {
      defaultSender: { address: 'default@contoso.example' },
      allowedSenders: ['*@contoso.example'],
    };
    expect(await ask({ senderPolicy })).toMatchObject({ internetMessageIdUnknown: 'NOT_FOUND_YET' });
  });

  test('or says that the relay may not look, and asks that mailbox again after ten minutes', async () => {
    const { ask, show, looked, pass, ledger } = asking();
    const other = aNewMail(NOW, { mailId: '01a20556-8aab-77d5-aa30-000000000002', caller: 'queue' });
    ledger.create(recordSent(claimNew(other, true, NOW), accepted, NOW));
    show({ kind: 'cannot-tell', upstreamCode: 'ErrorAccessDenied' });
    expect(await ask()).toMatchObject({ internetMessageIdUnknown: 'NOT_PERMITTED' });
    pass(60 * second);
    expect(await ask()).toMatchObject({ internetMessageIdUnknown: 'NOT_PERMITTED' });
    expect(await ask({}, other.mailId)).toMatchObject({ internetMessageIdUnknown: 'NOT_PERMITTED' });
    expect(looked).toHaveLength(1);
    show(FOUND);
    pass(600 * second);
    expect(await ask()).toMatchObject({ internetMessageId: MESSAGE_ID });
  });

  test.each(Object.entries(rows).filter(([state]) => state !== 'sent'))(
    'and one that is %s has none, nor a reason',
    async (_state, row) => {
      const { ask, looked } = asking(row);
      const status = await ask();
      expect(status).not.toHaveProperty('internetMessageId');
      expect(status).not.toHaveProperty('internetMessageIdUnknown');
      expect(looked).toEqual([]);
    },
  );
});

describe('the status is there, whatever the mailbox does', () => {
  test.each<[string, object]>([
    ['Graph cannot be reached', { mailboxes: { find: async () => ({ kind: 'not-now' }) } }],
    ['the adapter throws', { mailboxes: { find: () => Promise.reject(new Error('a fault')) } }],
    ['the settings to reach Graph are invalid', { mailboxes: undefined }],
    [
      'Graph never answers',
      { mailboxes: { find: never }, clock: { now: () => NOW, sleep: async () => undefined } },
    ],
  ])('%s', async (_case, more) => {
    expect(await asking().ask(more)).toMatchObject({
      state: 'sent',
      internetMessageIdUnknown: 'NOT_FOUND_YET',
    });
  });

  test('the ledger takes no more writes', async () => {
    const { ask, show, fail } = asking();
    show(FOUND);
    fail('ledger.replace');
    expect(await ask()).toMatchObject({ internetMessageId: MESSAGE_ID });
  });

  test('Graph answers too late: then it is recorded for the next who asks', async () => {
    const { ask, ledger } = asking();
    let answer: (sighting: Sighting) => void = () => undefined;
    const find = () => new Promise<Sighting>((resolve) => (answer = resolve));
    const clock = { now: () => NOW, sleep: async () => undefined };
    expect(await ask({ mailboxes: { find }, clock })).toMatchObject({
      internetMessageIdUnknown: 'NOT_FOUND_YET',
    });
    answer(FOUND);
    await expect
      .poll(() => ledger.find(mailId)?.row)
      .toMatchObject({ fate: { internetMessageId: MESSAGE_ID } });
  });
});

test('what was asked lately is kept for a bounded number of emails, the latest', () => {
  const recent = makeRecent(2);
  for (const name of ['one', 'two', 'one', 'three']) recent.note(name, NOW);
  expect(['one', 'two', 'three'].map((name) => recent.isWithin(name, 1, NOW))).toEqual([true, false, true]);
});
