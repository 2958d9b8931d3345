import { describe, expect, test } from 'vitest';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { aMail } from '../../support/a-mail.ts';
import { errorOf } from '../../support/problems-of.ts';

/** An email in which every field has a text, wherever a field can have one. */
const everything = aMail({
  from: { name: 'Payroll', address: 'payroll@contoso.example' },
  to: [{ name: 'Chan', address: 'chan@contoso.example' }],
  cc: 'Lee <lee@contoso.example>',
  bcc: ['wong@contoso.example'],
  replyTo: { name: 'Help', address: 'help@contoso.example' },
  html: '<p>Your pay slip is ready. <img src="cid:logo"></p>',
  attachments: [{ filename: 'logo.png', contentType: 'image/png', content: 'YQ==', cid: 'logo' }],
  headers: { 'x-order': '4711' },
  inReplyTo: '<a@contoso.example>',
  references: ['<b@contoso.example>'],
  messageId: '<c@contoso.example>',
  importance: 'high',
  tags: ['pay-slip'],
  idempotencyKey: 'order-4711',
  onUnknown: 'hold',
  sendAt: '2099-01-01T00:00:00Z',
});

type Place = readonly (string | number)[];

const placesOf = (value: unknown, place: Place = []): readonly Place[] => {
  if (typeof value === 'string') return [place];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => placesOf(inner, [...place, name]));
};

/** The same with another text at one place. */
const changed = (value: unknown, [name, ...rest]: Place, change: (text: string) => string): unknown => {
  if (name === undefined) return change(String(value));
  if (Array.isArray(value))
    return value.map((one, index) => (String(index) === name ? changed(one, rest, change) : one));
  const record = value as Record<string, unknown>;
  return { ...record, [name]: changed(record[name], rest, change) };
};

const places = placesOf(everything);

test('every text of the contract is tried', () => {
  expect(places.map((place) => place[0])).toEqual(expect.arrayContaining(Object.keys(everything)));
});

describe('half a character is refused wherever a text can be', () => {
  test.each(places.map((place) => [place.join('/'), place] as const))('%s', (_name, place) => {
    for (const half of ['\ud83d', '\ude00'])
      for (const change of [
        (text: string) => half + text,
        (text: string) => text + half,
        (text: string) => text.slice(0, 2) + half + text.slice(2),
      ]) {
        const { code, facts } = errorOf(() => readMail(changed(everything, place, change)));
        expect([code, JSON.stringify(facts).isWellFormed()]).toEqual([expect.any(String), true]);
      }
  });

  test('in the name of a field and of a header', () => {
    for (const input of [{ ...everything, 'x\ud83d': 1 }, aMail({ headers: { 'x-\ud83d': 'v' } })])
      expect(errorOf(() => readMail(input)).code).toMatch(/^[A-Z_]+$/);
  });
});
