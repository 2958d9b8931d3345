import { expect, test } from 'vitest';
import { MADE_BY, MADE_BY_TAG, rotationHorizonDays } from '../../../src/lib/connections/rotation-horizon.ts';
import { aSecret } from '../../support/fake-vault.ts';

const livingFor = (days: number, tags: Record<string, string> = { [MADE_BY_TAG]: MADE_BY }) =>
  aSecret({ tags, createdOn: new Date(0), expiresOn: new Date(days * 86_400_000) });

test.each([
  ['twice the time of its use', 30, 60, 28],
  ['what the tenant allows', 30, 44, 12],
  ['less than its use', 30, 30, 0],
])(
  'a secret of the relay that lives for %s is watched only once its renewal is overdue',
  (_life, rotationDays, days, horizon) => {
    expect(rotationHorizonDays(livingFor(days), rotationDays)).toBe(horizon);
  },
);

test('every other secret is watched by the thresholds alone', () => {
  expect(rotationHorizonDays(livingFor(60), undefined)).toBe(Number.POSITIVE_INFINITY);
  expect(rotationHorizonDays(livingFor(60, {}), 30)).toBe(Number.POSITIVE_INFINITY);
  expect(rotationHorizonDays(aSecret({ tags: { [MADE_BY_TAG]: MADE_BY } }), 30)).toBe(
    Number.POSITIVE_INFINITY,
  );
});
