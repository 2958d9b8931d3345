import { describe, expect, test } from 'vitest';
import { takeBack } from '../../../src/lib/delivery/take-back.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { isUntold } from '../../../src/lib/ledger/ledger-row.ts';
import { claim, recordDraft, withdraw } from '../../../src/lib/ledger/transitions.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';

const { mailId, rows } = aDelivery();
const cause = new AppError('STORAGE_UNAVAILABLE');

/** A row whose message could not be put on the queue, or may have been. */
const unqueued = (row: typeof rows.queued | typeof rows.sending = rows.queued) => {
  const world = inMemoryPorts();
  const entry = world.ledger.create(row)!;
  return { world, back: () => takeBack(world.needs, entry, cause) };
};

describe('an email whose message may not be on the queue', () => {
  test.each([rows.queued, rows.sending])(
    'is withdrawn, and only then is sending again said to be safe: $fate.state',
    async (row) => {
      const { world, back } = unqueued(row);
      await expect(back()).rejects.toMatchObject({ code: 'MAIL_NOT_STORED', cause });
      expect(world.rows()).toMatchObject([{ state: 'rejected', reason: { code: 'MAIL_NOT_STORED' } }]);
    },
  );

  test('is withdrawn and its event is left to the sweep, as it would be wrong where another invocation has taken the message', async () => {
    const { world, back } = unqueued();
    await expect(back()).rejects.toThrow();
    expect(world.announced).toEqual([]);
    expect(world.ledger.rows().filter(isUntold)).toHaveLength(1);
  });

  test('is withdrawn with a turn that its message cannot have, should that be there after all', async () => {
    const { world, back } = unqueued();
    await expect(back()).rejects.toThrow();
    expect(world.row(mailId)?.turn).toBeGreaterThan(rows.queued.progress.turn + 1);
  });

  test('is accepted where another invocation has taken its message already', async () => {
    const { world, back } = unqueued();
    const taken = claim(rows.queued, NOW);
    world.meanwhile('ledger.replace', () => world.ledger.replace(taken, world.ledger.find(mailId)!.etag));
    await back();
    expect(world.ledger.rows()).toEqual([taken]);
  });

  test('is withdrawn where its own attempt has written the row and did not hear so', async () => {
    const { world, back } = unqueued(rows.sending);
    const draft = { id: 'd', mailbox: 'a@b.example', isSubmitted: true };
    world.meanwhile('ledger.replace', () =>
      world.ledger.replace(recordDraft(rows.sending, draft, NOW), world.ledger.find(mailId)!.etag),
    );
    await expect(back()).rejects.toMatchObject({ code: 'MAIL_NOT_STORED' });
    expect(world.row(mailId)).toMatchObject({ state: 'rejected', draft });
  });

  test('is withdrawn also where that was written, and only the answer to it was lost', async () => {
    const { world, back } = unqueued();
    // The adapter tries again, and finds the row changed: by itself.
    world.meanwhile('ledger.replace', () =>
      world.ledger.replace(
        withdraw(rows.queued, { code: 'MAIL_NOT_STORED' }, NOW),
        world.ledger.find(mailId)!.etag,
      ),
    );
    await expect(back()).rejects.toMatchObject({ code: 'MAIL_NOT_STORED' });
  });

  test.each(['ledger.replace', 'ledger.find'] as const)(
    'is in doubt where not even that is known, as %s fails, and its caller is told not to send it again',
    async (call) => {
      const { world, back } = unqueued();
      world.fail(call);
      if (call === 'ledger.find')
        world.meanwhile('ledger.replace', () =>
          world.ledger.replace(rows.queued, world.ledger.find(mailId)!.etag),
        );
      await expect(back()).rejects.toMatchObject({
        code: 'OUTCOME_UNKNOWN',
        facts: { detail: expect.stringContaining('Get its state before you send it again') },
      });
    },
  );
});
