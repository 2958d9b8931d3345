import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CallerRules } from '../../../src/lib/callers/caller.ts';
import { makeQuotas, type Quotas } from '../../../src/lib/delivery/quotas.ts';
import { AppError } from '../../../src/lib/errors.ts';
import type { Usages } from '../../../src/lib/ports.ts';
import { aCaller } from '../../support/a-caller.ts';
import { makeFakeUsages } from '../../support/fake-usages.ts';

const MORNING = new Date('2026-03-02T08:00:00Z');
const MINUTE_MS = 60_000;
const later = (ms: number) => new Date(MORNING.getTime() + ms);
const limited = (rules: Partial<CallerRules>) => aCaller('payroll', rules);

/** So many instances over one storage, and how often they asked it. */
const instances = (count: number) => {
  const usages = makeFakeUsages();
  const seen = { requests: 0 };
  const port: Pick<Usages, 'read' | 'write'> = {
    read: async (...which) => {
      seen.requests += 1;
      return usages.read(...which);
    },
    write: async (...which) => {
      seen.requests += 1;
      const result = usages.write(...which);
      // As the adapter: it reads what is there instead.
      if (!result.isOwn) seen.requests += 1;
      return result;
    },
  };
  return { all: Array.from({ length: count }, () => makeQuotas(port)), usages, seen, port };
};

const takeMany = async (quotas: Quotas, rules: Partial<CallerRules>, count: number, now = MORNING) => {
  const kinds = await Promise.all(
    Array.from({ length: count }, async () => (await quotas.take(limited(rules), 1, now)).kind),
  );
  return kinds.filter((kind) => kind === 'taken').length;
};

describe('a limit', () => {
  test.each([1, 7, 100, 1000])(
    'of %i is reached exactly by three instances that send together, and never passed',
    async (mailsPerDay) => {
      const { all, usages } = instances(3);
      const taken = await Promise.all(all.map((quotas) => takeMany(quotas, { mailsPerDay }, mailsPerDay)));
      expect(taken.reduce((sum, one) => sum + one, 0)).toBe(mailsPerDay);
      expect(usages.read('2026-03-02', 'payroll').taken.mails).toBe(mailsPerDay);
    },
  );

  test('of recipients is kept as well: an email with more than are left is refused, and a smaller one goes', async () => {
    const [quotas] = instances(1).all as [Quotas];
    const caller = limited({ recipientsPerDay: 1000 });
    expect((await quotas.take(caller, 500, MORNING)).kind).toBe('taken');
    expect((await quotas.take(caller, 200, MORNING)).kind).toBe('taken');
    expect(await quotas.take(caller, 500, MORNING)).toMatchObject({
      kind: 'reached',
      left: { recipients: 300 },
    });
    expect((await quotas.take(caller, 300, MORNING)).kind).toBe('taken');
    expect((await quotas.take(caller, 1, MORNING)).kind).toBe('reached');
  });

  test('begins anew at midnight UTC', async () => {
    const [quotas] = instances(1).all as [Quotas];
    expect(await takeMany(quotas, { mailsPerDay: 2 }, 3)).toBe(2);
    expect(await takeMany(quotas, { mailsPerDay: 2 }, 3, new Date('2026-03-02T23:59:59.999Z'))).toBe(0);
    expect(await takeMany(quotas, { mailsPerDay: 2 }, 3, new Date('2026-03-03T00:00:00Z'))).toBe(2);
  });

  test('that an operator changes holds from the next email that needs a block', async () => {
    const [quotas] = instances(1).all as [Quotas];
    expect(await takeMany(quotas, { mailsPerDay: 2 }, 3)).toBe(2);
    expect(await takeMany(quotas, { mailsPerDay: 5 }, 9)).toBe(3);
    expect(await takeMany(quotas, { mailsPerDay: 4 }, 9)).toBe(0);
  });

  test('of one caller does not touch another', async () => {
    const [quotas] = instances(1).all as [Quotas];
    expect(await takeMany(quotas, { mailsPerDay: 1 }, 2)).toBe(1);
    expect((await quotas.take(aCaller('erp', { mailsPerDay: 1 }), 1, MORNING)).kind).toBe('taken');
  });

  test('that a caller does not have costs nothing', async () => {
    const { all, seen } = instances(1);
    expect(await takeMany(all[0]!, {}, 100)).toBe(100);
    expect(seen.requests).toBe(0);
  });
});

describe('a limit that is changed', () => {
  test('holds from the first email that knows it: a block of the higher limit is not used, and is given back', async () => {
    const { all, usages } = instances(1);
    const [quotas] = all as [Quotas];
    expect(await takeMany(quotas, { mailsPerDay: 2000 }, 130)).toBe(130);
    expect(usages.read('2026-03-02', 'payroll').taken.mails).toBe(191);
    expect(await quotas.look(limited({ mailsPerDay: 1 }), 1, later(62_000))).toMatchObject({
      left: { mails: 0 },
    });
    expect(await takeMany(quotas, { mailsPerDay: 1 }, 70, later(62_000))).toBe(0);
    expect(usages.read('2026-03-02', 'payroll').taken.mails).toBe(130);
    expect(await takeMany(quotas, { mailsPerDay: 140 }, 70, later(63_000))).toBe(10);
  });

  test('leaves what it still allows: the block is given back in the write that takes the next', async () => {
    const { all, usages, seen } = instances(1);
    const [quotas] = all as [Quotas];
    await takeMany(quotas, { mailsPerDay: 2000 }, 130);
    const before = seen.requests;
    expect(await takeMany(quotas, { mailsPerDay: 200 }, 1, later(62_000))).toBe(1);
    expect(seen.requests - before).toBe(1);
    expect(usages.read('2026-03-02', 'payroll').taken.mails).toBe(137);
    expect(await takeMany(quotas, { mailsPerDay: 200 }, 200, later(62_000))).toBe(69);
  });

  test('does not let an email through for one that was counted before and not accepted', async () => {
    const [quotas] = instances(1).all as [Quotas];
    const taken = await quotas.take(limited({ mailsPerDay: 10 }), 1, MORNING);
    await takeMany(quotas, { mailsPerDay: 10 }, 4);
    expect(await takeMany(quotas, { mailsPerDay: 2 }, 1)).toBe(0);
    if (taken.kind === 'taken') taken.giveBack();
    expect(await takeMany(quotas, { mailsPerDay: 2 }, 1)).toBe(0);
    expect(await takeMany(quotas, { mailsPerDay: 5 }, 9)).toBe(1);
  });

  test('and is seen earlier by one email than by another ends with both answered', async () => {
    const { all, usages } = instances(2);
    const rules = [{ mailsPerDay: 50 }, { mailsPerDay: 40 }];
    const mixed = all.flatMap((quotas) =>
      Array.from({ length: 40 }, (_, index) => quotas.take(limited(rules[index % 2]!), 1, MORNING)),
    );
    const taken = (await Promise.all(mixed)).filter(({ kind }) => kind === 'taken').length;
    expect(taken).toBeGreaterThanOrEqual(40);
    expect(taken).toBeLessThanOrEqual(50);
    expect(usages.read('2026-03-02', 'payroll').taken.mails).toBeLessThanOrEqual(50);
  });

  const rules = fc.record(
    { mailsPerDay: fc.integer({ min: 1, max: 60 }), recipientsPerDay: fc.integer({ min: 1, max: 200 }) },
    { requiredKeys: [] },
  );
  const phase = fc.record({
    rules,
    sends: fc.array(
      fc.record({
        instance: fc.nat(2),
        recipients: fc.integer({ min: 1, max: 12 }),
        isRejected: fc.boolean(),
      }),
      { maxLength: 60 },
    ),
    idle: fc.boolean(),
  });

  test('any number of times never lets more through than it allows, counted since there was one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(phase, { minLength: 1, maxLength: 6 }), async (phases) => {
        const { all } = instances(3);
        const sum = { mails: 0, recipients: 0 };
        let now = MORNING;
        for (const { rules: current, sends, idle } of phases) {
          const before = { ...sum };
          const pending = sends.map(async ({ instance, recipients, isRejected }) => {
            const taken = await all[instance]!.take(limited(current), recipients, now);
            if (taken.kind === 'reached') return;
            if (isRejected) return taken.giveBack();
            if (current.mailsPerDay !== undefined) sum.mails += 1;
            if (current.recipientsPerDay !== undefined) sum.recipients += recipients;
          });
          await Promise.all(pending);
          const { mailsPerDay = Infinity, recipientsPerDay = Infinity } = current;
          expect(sum.mails).toBeLessThanOrEqual(Math.max(mailsPerDay, before.mails));
          expect(sum.recipients).toBeLessThanOrEqual(Math.max(recipientsPerDay, before.recipients));
          if (!idle) continue;
          now = new Date(now.getTime() + 10 * MINUTE_MS);
          for (const quotas of all) await quotas.giveBackIdle(now);
        }
      }),
    );
  });

  test.each([
    ['recipients', { mailsPerDay: 2000 }, { recipientsPerDay: 100 }, 5],
    ['emails', { recipientsPerDay: 2000 }, { mailsPerDay: 5 }, 5],
  ] as const)('by one of %s that is new counts from then on, and exactly', async (_, before, added, most) => {
    const { all, usages } = instances(1);
    const [quotas] = all as [Quotas];
    const send = async (rules: Partial<CallerRules>) => (await quotas.take(limited(rules), 20, MORNING)).kind;
    for (let index = 0; index < 10; index += 1) await send(before);
    const { taken } = usages.read('2026-03-02', 'payroll');
    expect(Math.min(taken.mails, taken.recipients)).toBe(0);
    for (let index = 0; index < most; index += 1) expect(await send({ ...before, ...added })).toBe('taken');
    expect(await send({ ...before, ...added })).toBe('reached');
  });
});

describe('what is taken and not used', () => {
  test('by an email that was not accepted goes to the next one', async () => {
    const [quotas] = instances(1).all as [Quotas];
    const taken = await quotas.take(limited({ mailsPerDay: 1 }), 1, MORNING);
    expect(await takeMany(quotas, { mailsPerDay: 1 }, 1)).toBe(0);
    if (taken.kind === 'taken') taken.giveBack();
    expect(await takeMany(quotas, { mailsPerDay: 1 }, 2)).toBe(1);
  });

  test('for ten minutes is given back when the instance does anything else, and others use it', async () => {
    const { all, usages } = instances(2);
    const [one, other] = all as [Quotas, Quotas];
    const rules = { mailsPerDay: 1000 };
    await takeMany(one, rules, 4);
    expect(usages.read('2026-03-02', 'payroll').taken.mails).toBe(7);
    await one.take(aCaller('erp', { mailsPerDay: 1 }), 1, later(10 * MINUTE_MS));
    expect(usages.read('2026-03-02', 'payroll').taken).toEqual({ mails: 4, recipients: 0 });
    expect(await takeMany(other, rules, 1000, later(10 * MINUTE_MS))).toBe(996);
  });

  test('by hundreds of idle callers costs an email at most one request more, for which it does not wait', async () => {
    const { port, usages } = instances(1);
    const idle = Array.from({ length: 300 }, (_, index) => aCaller(`app-${index}`, { mailsPerDay: 1000 }));
    const held = () => idle.filter(({ name }) => usages.read('2026-03-02', name).taken.mails > 4).length;
    const written: string[] = [];
    const storage = Promise.withResolvers<void>();
    let isSlow = false;
    const quotas = makeQuotas({
      ...port,
      write: async (...which) => {
        written.push(which[1]);
        if (isSlow) await storage.promise;
        return port.write(...which);
      },
    });
    for (const caller of idle) for (let mail = 0; mail < 4; mail += 1) await quotas.take(caller, 1, MORNING);
    await takeMany(quotas, { mailsPerDay: 1000 }, 5, later(9 * MINUTE_MS));
    expect(held()).toBe(300);
    written.length = 0;
    isSlow = true;
    const at = later(10 * MINUTE_MS);
    // Storage does not answer, and two emails for which there is a block are through.
    expect(await takeMany(quotas, { mailsPerDay: 1000 }, 1, at)).toBe(1);
    expect(await takeMany(quotas, { mailsPerDay: 1000 }, 1, at)).toBe(1);
    expect(written).toEqual(['app-0']);
    storage.resolve();
    await expect.poll(held).toBe(299);
    await quotas.giveBackIdle(at, () => written.length >= 10);
    expect(written.length).toBe(10);
    await quotas.giveBackIdle(at);
    expect(held()).toBe(0);
  });

  test('is lost where its instance ends: less is sent, never more', async () => {
    const { all, usages, port } = instances(2);
    await takeMany(all[0]!, { mailsPerDay: 100 }, 4);
    const lost = usages.read('2026-03-02', 'payroll').taken.mails - 4;
    expect(await takeMany(makeQuotas(port), { mailsPerDay: 100 }, 200)).toBe(96 - lost);
    expect(lost).toBe(3);
  });

  test('that a limit is reached is asked again after a minute, as others give back', async () => {
    const { all, seen } = instances(2);
    const [one, other] = all as [Quotas, Quotas];
    const rules = { mailsPerDay: 40 };
    await takeMany(one, rules, 4);
    expect(await takeMany(other, rules, 40)).toBe(34);
    const before = seen.requests;
    expect(await takeMany(other, rules, 40, later(59_000))).toBe(0);
    expect(seen.requests - before).toBe(0);
    await one.giveBackIdle(later(10 * MINUTE_MS));
    expect(await takeMany(other, rules, 40, later(10 * MINUTE_MS))).toBe(2);
  });
});

describe('where storage fails', () => {
  test('nobody is over the limit and nothing is counted: the failure is told, and the next one asks again', async () => {
    const { port } = instances(1);
    let isDown = true;
    const quotas = makeQuotas({
      ...port,
      read: (...which) =>
        isDown ? Promise.reject(new AppError('STORAGE_UNAVAILABLE')) : port.read(...which),
    });
    const both = [1, 2].map(() => quotas.take(limited({ mailsPerDay: 1 }), 1, MORNING));
    for (const one of both) await expect(one).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    isDown = false;
    expect(await takeMany(quotas, { mailsPerDay: 1 }, 2)).toBe(1);
  });

  test('and nobody knows whether a block was taken, it is not used', async () => {
    const { port, usages } = instances(1);
    let isLost = true;
    const quotas = makeQuotas({
      ...port,
      write: async (...which) => {
        const written = await port.write(...which);
        if (isLost) throw new AppError('STORAGE_UNAVAILABLE');
        return written;
      },
    });
    await expect(quotas.take(limited({ mailsPerDay: 3 }), 1, MORNING)).rejects.toThrow();
    isLost = false;
    expect(await takeMany(quotas, { mailsPerDay: 3 }, 9)).toBe(2);
    expect(usages.read('2026-03-02', 'payroll').taken.mails).toBe(3);
  });
});

test('of all instances one tells that a limit is reached, and only once a day', async () => {
  const { all } = instances(3);
  const told: string[] = [];
  const tell = async (day: Date) =>
    (
      await Promise.all(
        [...all, ...all].map((quotas) =>
          quotas.tellOnce(limited({ mailsPerDay: 1 }), day, async () => void told.push('told')),
        ),
      )
    ).filter((isFirst) => isFirst).length;
  expect([await tell(MORNING), await tell(later(MINUTE_MS)), await tell(later(24 * 60 * MINUTE_MS))]).toEqual(
    [1, 0, 1],
  );
});

test('what tells of a limit and fails is done again', async () => {
  const [quotas] = instances(1).all as [Quotas];
  const caller = limited({ mailsPerDay: 1 });
  const fail = () => Promise.reject(new AppError('STORAGE_UNAVAILABLE'));
  await expect(quotas.tellOnce(caller, MORNING, fail)).rejects.toThrow();
  expect(await quotas.tellOnce(caller, MORNING, async () => undefined)).toBe(true);
});

/** Requests of one instance for so many emails, spread over a day or in one burst, and per email. */
const costOf = async (mails: number, gapMs: number, mailsPerDay = 10 * mails) => {
  const { all, seen } = instances(1);
  const [quotas] = all as [Quotas];
  const midnight = new Date('2026-03-02T00:00:00Z').getTime();
  for (let index = 0; index < mails; index += 1)
    await quotas.take(limited({ mailsPerDay }), 1, new Date(midnight + index * gapMs));
  return seen.requests;
};

test('an email costs two requests when it is the only one of the day, and far below one when there are many', async () => {
  expect({
    'one a day': await costOf(1, 0),
    'ten a day': await costOf(10, 8_640_000),
    'a thousand over the day': await costOf(1000, 86_400),
    'a thousand at once': await costOf(1000, 100),
    'a thousand at once, to the limit': await costOf(1000, 100, 1000),
  }).toEqual({
    'one a day': 2,
    'ten a day': 11,
    'a thousand over the day': 430,
    'a thousand at once': 22,
    'a thousand at once, to the limit': 66,
  });
});
