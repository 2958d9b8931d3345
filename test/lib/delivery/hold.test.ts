import { describe, expect, test } from 'vitest';
import { hold } from '../../../src/lib/delivery/hold.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aMail } from '../../support/a-mail.ts';
import { inMemoryPorts, NOW, type PortCall } from '../../support/in-memory-ports.ts';

const { facts, rows, mailId, content } = aDelivery(aMail({ subject: 'canary' }));
const reason = new AppError('MAILBOX_NOT_FOUND', { upstreamCode: 'ErrorInvalidUser' });
const order = { why: 'refused', reason, original: content } as const;

/** A relay whose ledger has the email, and the email as it is there. */
const known = () => {
  const world = inMemoryPorts();
  return { world, entry: world.ledger.create(rows.queued)! };
};

describe('holding an email', () => {
  test('writes the record, tells the event, writes the row, and then the log line that alerts watch', async () => {
    const { world, entry } = known();
    const held = await hold(world.needs, entry, order);
    expect(world.effects).toEqual(['records.store', 'events.put', 'ledger.replace held', 'log MailHeld']);
    expect(held).toEqual(world.ledger.find(mailId)?.row);
  });

  test('keeps the email as received, with the reason in words, for an operator', async () => {
    const { world, entry } = known();
    await hold(world.needs, entry, order);
    expect([...world.records.values()]).toEqual([
      {
        mailId,
        heldAt: NOW.toISOString(),
        acceptedAt: facts.acceptedAt,
        facts,
        reason: expect.objectContaining({ code: 'MAILBOX_NOT_FOUND', title: expect.any(String) }),
        original: content,
      },
    ]);
  });

  test.each<[string | undefined, string | undefined, string | undefined]>([
    ['bulk', 'bulk', undefined],
    ['normal', undefined, undefined],
    ['BULK', 'bulk', undefined],
    // Where the row does not have it, nothing else has.
    ['bulk', undefined, 'bulk'],
    ['urgent', undefined, 'urgent'],
    [undefined, 'bulk', undefined],
  ])('keeps a priority %s beside a row with %s as %s: its row says it', async (said, ofRow, kept) => {
    const { world } = known();
    const priority = ofRow === undefined ? {} : { priority: ofRow as 'bulk' };
    const original = aMail({ priority: said });
    await hold(world.needs, { facts: { ...facts, ...priority } }, { ...order, original });
    expect([...world.records.values()]).toMatchObject([{ original: aMail() }]);
    expect(
      [...world.records.values()].map((one) => (one.original as { priority?: string }).priority),
    ).toEqual([kept]);
  });

  test('keeps in the ledger why, the record, and no words that the catalogue has', async () => {
    const { world, entry } = known();
    expect((await hold(world.needs, entry, order))?.fate).toEqual({
      state: 'held',
      why: 'refused',
      reason: { code: 'MAILBOX_NOT_FOUND', upstreamCode: 'ErrorInvalidUser' },
      record: mailId,
      hasContent: true,
    });
  });

  test('says where the content is gone, so that the record is not taken for the email', async () => {
    const { world, entry } = known();
    const held = await hold(world.needs, entry, { ...order, original: undefined });
    expect(held?.fate.hasContent).toBe(false);
  });

  test('that the ledger does not have yet makes its row', async () => {
    const world = inMemoryPorts();
    const held = await hold(world.needs, { facts }, order);
    expect(world.effects).toContain('ledger.create held');
    expect(held?.facts).toEqual(facts);
  });

  test('counts the attempt that ended so', async () => {
    const world = inMemoryPorts();
    const entry = world.ledger.create(rows.sending)!;
    const attempt = { at: NOW.toISOString(), outcome: 'rejected', code: 'MAILBOX_NOT_FOUND' } as const;
    await hold(world.needs, { ...entry, attempt }, order);
    expect(world.row(mailId)?.attempts).toEqual([attempt]);
    expect(world.logged).toMatchObject([{ event: 'MailHeld', attempts: 1 }]);
  });

  test('writes nothing of the email into the log', async () => {
    const { world, entry } = known();
    await hold(world.needs, entry, order);
    expect(world.logged).toEqual([
      {
        event: 'MailHeld',
        mailId,
        attempts: 0,
        caller: 'queue',
        record: mailId,
        code: 'MAILBOX_NOT_FOUND',
        upstreamCode: 'ErrorInvalidUser',
      },
    ]);
  });

  test.each([
    ['a known one', 'replace'],
    ['a new one', 'create'],
  ])('that another invocation wrote first is not held, nor told as held: %s', async (_case, write) => {
    const { world, entry } = known();
    const subject = write === 'create' ? { facts } : { ...entry, etag: 'of an earlier version' };
    expect(await hold(world.needs, subject, order)).toBeUndefined();
    expect(world.ledger.rows()).toEqual([rows.queued]);
    expect(world.logged).toEqual([{ event: 'LedgerBehind', mailId, state: 'held' }]);
  });

  test.each<[PortCall, readonly string[]]>([
    ['records.store', []],
    ['ledger.replace', ['records.store', 'events.put']],
  ])(
    'does nothing further once storage fails at %s, and the ledger names no record that is not there',
    async (call, effects) => {
      const { world, entry } = known();
      world.fail(call);
      await expect(hold(world.needs, entry, order)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      expect(world.effects).toEqual(effects);
      expect(world.ledger.rows()).toEqual([rows.queued]);
    },
  );
});
