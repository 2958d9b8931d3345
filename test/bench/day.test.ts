import { beforeAll, describe, expect, test } from 'vitest';
import { BURSTS } from '../../bench/day/day-plan.ts';
import { type Figures, toFigures } from '../../bench/day/figures.ts';
import { isOptionsError, readOptions } from '../../bench/day/options.ts';
import { EURO_PER_DOLLAR, PRICES } from '../../bench/day/prices.ts';
import { toReport } from '../../bench/day/report.ts';
import { type Day, runDay } from '../../bench/day/run-day.ts';
import { mostInAnyMinute, toVerdict } from '../../bench/day/verdict.ts';
import { codeBlocksOf, readDocument } from '../support/documents.ts';

const OPTIONS = { emails: 2000, mailboxes: 4, instances: 3, seed: 3 };

describe('a small day with all its troubles', () => {
  let day: Day;
  let figures: Figures;
  beforeAll(async () => {
    day = await runDay(OPTIONS);
    figures = toFigures(day);
  }, 120_000);

  test('keeps every promise', () => {
    expect(figures.verdict.promises.filter(({ broken }) => broken > 0)).toEqual([]);
    expect(figures.verdict.isKept).toBe(true);
  });

  test('had the troubles that it is to have', () => {
    const { ended, graph, events, storageFailed } = figures;
    expect(ended.killed).toBeGreaterThan(20);
    expect(ended.replaced).toBe(2 * OPTIONS.instances);
    expect(graph.inBrownOut).toBeGreaterThan(20);
    expect(events.MailUnknown).toBeGreaterThan(0);
    expect(storageFailed).toBeGreaterThan(0);
    expect(figures.emails).toBeGreaterThan(0.99 * OPTIONS.emails);
  });

  test('is the same for the same seed', async () => {
    const again = toFigures(await runDay(OPTIONS));
    expect({ ...again, own: undefined }).toEqual({ ...figures, own: undefined });
  }, 120_000);

  test('is printed in the form of the day in docs/scale.md', () => {
    const printed = codeBlocksOf(readDocument('docs/scale.md')).find(({ text }) => text.includes('A day: '));
    expect(formOf(printed?.text ?? '')).toEqual(formOf(toReport(figures)));
  });

  test('finds an email that was sent twice, and one that nobody sent', () => {
    const [twice, never] = [0, 1];
    const lying: Day = {
      ...day,
      emails: {
        ...day.emails,
        count: day.emails.count,
        copiesOf: (number) => (number === twice ? 2 : number === never ? 0 : day.emails.copiesOf(number)),
      },
    };
    expect(toVerdict(lying).promises[0]?.broken).toBe(2);
  });

  test('finds an email whose fate nobody knows', () => {
    const lost = day.emails.idOf(0);
    const lying: Day = {
      ...day,
      storage: {
        ...day.storage,
        read: (mailId) => (mailId === lost ? undefined : day.storage.read(mailId)),
      },
    };
    expect(toVerdict(lying).promises[0]?.broken).toBe(1);
  });
});

/** A report without its figures, and without what lines up its columns. */
const formOf = (report: string): readonly string[] =>
  report
    .split('\n')
    .map((line) =>
      line
        .replaceAll(/\d[\d,.]*( h \d+ min| min \d+ s| s)?|(?<=\s)-(?=\s|$)|\bkept\b/g, '#')
        .replaceAll(/-{2,}/g, '--')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    )
    .filter((line) => line !== '');

test('the requests of any minute are counted across whole minutes too', () => {
  expect(mostInAnyMinute([0, 30_000, 59_999, 60_000, 89_999])).toBe(4);
  expect(mostInAnyMinute([])).toBe(0);
});

test('every burst is a part of the day that its mailboxes can send', () => {
  const parts = BURSTS.reduce((sum, { part }) => sum + part, 0);
  expect(parts).toBeLessThan(0.5);
});

test('docs/costs.md has the prices that the day is counted with', () => {
  const { text } = readDocument('docs/costs.md');
  for (const { what, dollars } of Object.values(PRICES)) expect(text).toContain(`| ${what} | ${dollars} |`);
  expect(text).toContain(`${EURO_PER_DOLLAR} euros`);
});

test('the day of a million emails is the default, and wrong options say what was expected', () => {
  expect(readOptions([]).day).toEqual({ emails: 1_000_000, mailboxes: 200, instances: 20, seed: 1 });
  for (const wrong of [['--emails', '7'], ['--mailboxes', 'many'], ['--unknown'], ['--seed', '-1']]) {
    const read = () => readOptions(wrong);
    expect(read).toThrow(/npm run day -- --help/);
    try {
      read();
    } catch (error) {
      expect(isOptionsError(error)).toBe(true);
    }
  }
});
