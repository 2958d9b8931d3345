import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { newActId, type OperatorAct } from '../../src/lib/ledger/operator-act.ts';
import type { OperatorTrail } from '../../src/lib/ports.ts';

/** An act of the minute of this number. */
export const anAct = (minute: number, ...mailIds: readonly string[]): OperatorAct => {
  const at = new Date(Date.UTC(2026, 2, 2, 8, minute));
  return {
    id: newActId(at, randomUUID()),
    at: at.toISOString(),
    with: 'Entra',
    by: 'Grace Hopper 葛麗絲',
    action: 'close',
    note: 'Found in Sent Items.',
    mails: mailIds.map((mailId) => ({ mailId })),
  };
};

/** What every trail of operators does, whatever it is made of. Acts of other tests may stand in it. */
export const operatorTrailContract = (name: string, open: () => OperatorTrail): void => {
  describe(`${name} keeps what operators did`, () => {
    test('an act is found as it was begun, and then with its outcome', async () => {
      const trail = open();
      const act = anAct(1, randomUUID());
      await trail.begin(act);
      expect(await trail.find(act.id)).toEqual(act);
      const done: OperatorAct = {
        ...act,
        mails: act.mails.map(({ mailId }) => ({ mailId, outcome: 'MAIL_NOT_HELD' })),
      };
      await trail.finish(done);
      expect(await trail.find(act.id)).toEqual(done);
      expect(await trail.find(anAct(1).id)).toBeUndefined();
    });

    test('an act that is begun twice is one', async () => {
      const trail = open();
      const mailId = randomUUID();
      const act = anAct(2, mailId);
      await trail.begin(act);
      await trail.begin(act);
      expect(await trail.ofMail(mailId)).toEqual([act]);
    });

    test('lists the newest first, and goes on after an act', async () => {
      const trail = open();
      const acts = [5, 4, 3].map((minute) => anAct(minute));
      for (const act of acts.toReversed()) await trail.begin(act);
      const ids = acts.map(({ id }) => id);
      const listed = async (after?: string) =>
        (await trail.list(after)).acts.map(({ id }) => id).filter((id) => ids.includes(id));
      expect(await listed()).toEqual(ids);
      expect(await listed(ids[0])).toEqual(ids.slice(1));
    });

    test('has the acts about an email, the newest first, and those of no other', async () => {
      const trail = open();
      const [one, two] = [randomUUID(), randomUUID()];
      const acts = [anAct(6, one), anAct(7, two, one), anAct(8, two)];
      for (const act of acts) await trail.begin(act);
      expect(await trail.ofMail(one)).toEqual([acts[1], acts[0]]);
      expect(await trail.ofMail(randomUUID())).toEqual([]);
    });
  });
};
