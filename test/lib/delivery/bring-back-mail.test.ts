import { describe, expect, test } from 'vitest';
import { bringBackMail } from '../../../src/lib/delivery/bring-back-mail.ts';
import type { Held } from '../../../src/lib/ledger/ledger-row.ts';
import { close } from '../../../src/lib/ledger/transitions.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { aDelivery, heldAs } from '../../support/a-delivery.ts';
import { aMail } from '../../support/a-mail.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';

const lost = { why: 'lost-message', reason: { code: 'MAIL_LOST' }, hasContent: false } as const;

/** A caller who brings an email again that is held without its content. */
const bringing = (fate: Partial<Held> = lost, content = aMail()) => {
  const { mailId, envelope, rows } = aDelivery(content);
  const world = inMemoryPorts();
  const row = heldAs(rows.held, fate);
  const entry = world.ledger.create(row)!;
  world.pass(60_000);
  const brought = { mail: readMail(content), envelope, original: content };
  return { ...world, mailId, row: () => row, bring: () => bringBackMail(world.needs, entry, brought) };
};

describe('an email that is held without its content, brought again by its caller', () => {
  test('goes on by the queue where it was certainly not sent and lost: message first, then row', async () => {
    const { bring, effects, queued, ledger } = bringing();
    const row = await bring();
    expect(effects).toEqual(['mailQueue.put', 'ledger.replace queued']);
    expect(queued()).toMatchObject([{ turn: row.progress.turn, phase: 'send', delayMs: 0 }]);
    expect(ledger.rows()).toEqual([row]);
    expect(row.progress.replayedAt).toBe(new Date(NOW.getTime() + 60_000).toISOString());
  });

  test('has the priority of its row, and not that of the request which brings it', async () => {
    const { bring, records } = bringing({ ...lost, why: 'doubt' }, aMail({ priority: 'high' }));
    await bring();
    expect([...records.values()]).toMatchObject([{ original: aMail() }]);
    expect([...records.values()][0]?.original).not.toHaveProperty('priority');
  });

  test.each<[string, Partial<Held>, Record<string, unknown>]>([
    ['it may have been sent', { ...lost, why: 'doubt' }, {}],
    ['an attempt had begun', { ...lost, why: 'lost-attempt' }, {}],
    ['it was refused', { ...lost, why: 'refused' }, {}],
    ['it leaves no copy that could be looked for', lost, { saveToSentItems: false }],
    ['it asks to be held when in doubt', lost, { onUnknown: 'hold' }],
  ])('stays held where %s, and its record has the content for an operator', async (_case, fate, more) => {
    const content = aMail(more);
    const { bring, messages, records, effects } = bringing(fate, content);
    const row = await bring();
    expect(row.fate).toMatchObject({ state: 'held', hasContent: true });
    expect([...records.values()]).toMatchObject([{ original: content }]);
    expect(effects).toEqual(['records.store', 'ledger.replace held']);
    expect(messages).toEqual([]);
  });

  test('its record has the time of the empty one, whose place it takes', async () => {
    const { bring, records } = bringing({ ...lost, why: 'doubt' });
    await bring();
    expect([...records.values()]).toMatchObject([{ heldAt: NOW.toISOString() }]);
  });

  test.each([lost, { ...lost, why: 'doubt' as const }])(
    'is answered as the ledger has it where another invocation wrote the row first: $why',
    async (fate) => {
      const { bring, meanwhile, ledger, mailId, row } = bringing(fate);
      const closed = close(row(), 'found', NOW);
      meanwhile('ledger.replace', () => ledger.replace(closed, ledger.find(mailId)!.etag));
      const answered = await bring();
      expect(answered.fate.state).toBe(fate.why === 'doubt' ? 'held' : 'closed');
      expect(ledger.rows()).toEqual([closed]);
    },
  );

  test('is not taken from the operator when the queue fails', async () => {
    const { bring, fail, ledger, row } = bringing();
    fail('mailQueue.put');
    await expect(bring()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(ledger.rows()).toEqual([row()]);
  });
});
