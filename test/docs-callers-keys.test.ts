import { describe, expect, test } from 'vitest';
import { codeBlocksOf, filesOf, readDocument } from './support/documents.ts';

/** Words and a number or a variable, as a key that means one email. */
const KEY = /["' ]((?:[a-z]+-)+(?:\d{2}|\$\(|@\{)[^"\n]*?)(?:["']|$)/gm;

/** nodemailer's own example stays as it is: its transport makes the key. */
const PAGES = filesOf('docs/callers/*.md').filter((path) => !path.endsWith('/nodemailer.md'));

/** Code that sends an email: an example, or actions of a workflow. */
const examples = PAGES.flatMap((path) =>
  codeBlocksOf(readDocument(path))
    .filter(({ text }) => /example: (?!client)\w+$/m.test(text) || text.includes('"Idempotency-Key":'))
    .map(({ language, text }) => ({
      title: `${path}, ${language}`,
      keys: [...text.matchAll(KEY)].map(([, key = '']) => key),
    })),
);
const tour = codeBlocksOf(readDocument('docs/local.md')).flatMap(({ text }) =>
  [...text.matchAll(KEY)].map(([, key = '']) => key),
);

test('every example sends one email, with an idempotency key', () => {
  expect(examples.length).toBeGreaterThanOrEqual(13);
  expect(examples.filter(({ keys }) => keys.length !== 1)).toEqual([]);
});

test('no two examples have the same idempotency key', () => {
  const keys = [...examples.flatMap((example) => example.keys), ...new Set(tour)];
  expect(tour.length).toBeGreaterThan(0);
  expect(new Set(keys).size, keys.join(', ')).toBe(keys.length);
});

describe('the page for the queue', () => {
  const { text } = readDocument('docs/callers/queue.md');

  test.each(['to', 'subject', 'text', 'idempotencyKey'])('puts %s on the queue in each language', (field) => {
    expect(text.match(new RegExp(`\\b${field}\\b['"\\]]*\\s*[:=]`, 'g'))).toHaveLength(3);
  });
});

test('every page with a client says which relay and which kind of key it takes, by which two variables', () => {
  const pages = filesOf('docs/callers/*.md').map(readDocument);
  const withClient = pages.filter(({ text }) => /example: client$/m.test(text));
  expect(withClient).toHaveLength(6);
  const said =
    /`MAIL_RELAY_URL` and `MAIL_RELAY_KEY`, for the relay\s\[in Azure or on your machine, with either kind of key\]/;
  expect(withClient.filter(({ text }) => !said.test(text)).map(({ path }) => path)).toEqual([]);
});
