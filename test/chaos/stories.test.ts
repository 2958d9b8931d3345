import { expect, test } from 'vitest';
import { contentOf } from './content.ts';
import { planRun } from './plan.ts';
import { tellStories } from './stories.ts';

const NOW = new Date('2026-03-02T08:00:00Z');
const LATER_MS = 5000;
const CLOCK_ERROR_MS = 2400;

const storyOf = async (firstAtMs: number) => {
  const plan = { ...planRun(1, 1)[0]!, laterMs: LATER_MS, cancel: false };
  const given = {
    plan,
    mailId: 'some-id',
    content: contentOf(plan, NOW),
    accepted: true,
    toldSent: false,
    toldCanceled: false,
  };
  const [story] = await tellStories([given], {
    rows: [],
    copies: new Map([['some-id', { count: 1, firstAtMs }]]),
    doubted: new Set(),
    record: () => Promise.reject(new Error('nothing is held')),
    clockErrorMs: CLOCK_ERROR_MS,
  });
  return story;
};

test.each([
  ['earlier than a clock of an instance can have made it', LATER_MS - CLOCK_ERROR_MS - 1, true],
  ['as early as a clock that is wrong', LATER_MS - CLOCK_ERROR_MS, false],
  ['at its sendAt', LATER_MS, false],
  ['after its sendAt', LATER_MS + 60_000, false],
])('a mail that Graph accepted %s is told as that', async (_case, afterMs, isEarly) => {
  expect(await storyOf(NOW.getTime() + afterMs)).toMatchObject({ isEarly, copies: 1, mayBeCanceled: false });
});
