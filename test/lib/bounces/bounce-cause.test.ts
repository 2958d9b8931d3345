import { describe, expect, test } from 'vitest';
import {
  BOUNCE_CAUSES,
  type BounceCause,
  bounceCauseOf,
  codesOf,
} from '../../../src/lib/bounces/bounce-cause.ts';
import { BOUNCE_WORDS, explainBounce } from '../../../src/lib/bounces/bounce-words.ts';

const CAUSES = Object.keys(BOUNCE_CAUSES) as BounceCause[];

describe('the cause of a code', () => {
  test.each([
    ['5.1.10', 'recipient-unknown'],
    ['5.7.606', 'address-banned'],
    ['5.7.649', 'address-banned'],
    ['5.7.650', 'other-permanent'],
    ['4.7.500', 'reputation-delay'],
    ['4.7.899', 'reputation-delay'],
    ['4.7.700', 'other-temporary'],
    ['5.9.9', 'other-permanent'],
    ['4.9.9', 'other-temporary'],
    ['constructor', 'other-permanent'],
    [undefined, 'no-code'],
  ])('%s is %s', (code, cause) => {
    expect(bounceCauseOf(code)).toBe(cause);
  });

  test('is the one under which the documentation lists the code', () => {
    for (const cause of CAUSES)
      for (const code of codesOf(cause))
        expect([code, bounceCauseOf(code.split(' to ')[0])]).toEqual([code, cause]);
  });

  test('is that of one code at least, unless it stands for all others', () => {
    const without = CAUSES.filter((cause) => codesOf(cause).length === 0);
    expect(without).toEqual(['other-permanent', 'other-temporary', 'no-code']);
  });
});

describe('the words of a cause', () => {
  test.each(['en', 'zh-Hant'] as const)(
    'say in %s what happened and what to do, each in its own words',
    (language) => {
      const words = CAUSES.map((cause) => BOUNCE_WORDS[language][cause]);
      expect(new Set(words.map(({ cause }) => cause)).size).toBe(CAUSES.length);
      for (const { cause, remedy } of words) {
        expect(cause).toMatch(/[.。]$/);
        expect(remedy).toMatch(/[.。]$/);
      }
    },
  );

  test('tell what lasts from what does not', () => {
    expect([explainBounce('5.1.1').kind, explainBounce('4.4.7').kind, explainBounce(undefined).kind]).toEqual(
      ['permanent', 'temporary', 'permanent'],
    );
  });
});
