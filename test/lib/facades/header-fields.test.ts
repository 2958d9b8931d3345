import { expect, test } from 'vitest';
import { sortHeaders } from '../../../src/lib/facades/header-fields.ts';

const sorted = (headers: Readonly<Record<string, unknown>>) => {
  const { fields, others, contradicting } = sortHeaders(
    Object.entries(headers).map(([name, value]) => ({ name, value, place: `headers.${name}` })),
  );
  return {
    fields: Object.fromEntries([...fields].map(([field, { value }]) => [field, value])),
    others: others.map(({ name }) => name),
    contradicting: contradicting.map(({ name }) => name),
  };
};

test('a header for which an email has a field becomes that field, however it is written', () => {
  expect(
    sorted({
      'REPLY-TO': 'a@b.example',
      'In-Reply-To': '<1@b.example>',
      references: '<1@b.example>',
      'Message-ID': '<2@b.example>',
      Importance: 'High',
      'X-Order': '4711',
    }),
  ).toEqual({
    fields: {
      replyTo: 'a@b.example',
      inReplyTo: '<1@b.example>',
      references: '<1@b.example>',
      messageId: '<2@b.example>',
      importance: 'High',
    },
    others: ['X-Order'],
    contradicting: [],
  });
});

test.each([
  ['X-Priority', '1 (Highest)', 'high'],
  ['X-Priority', '2', 'high'],
  ['x-priority', '3', 'normal'],
  ['X-Priority', '5 (Lowest)', 'low'],
  ['X-MSMail-Priority', 'Low', 'low'],
  ['Priority', 'urgent', 'high'],
  ['Priority', 'non-urgent', 'low'],
])('%s: %s says how important an email is', (name, value, importance) =>
  expect(sorted({ [name]: value }).fields).toEqual({ importance }),
);

test('several headers may say the same importance, as mailers write it, and not different ones', () => {
  expect(sorted({ 'X-Priority': '1', 'X-MSMail-Priority': 'High', Importance: 'High' })).toEqual({
    fields: { importance: 'high' },
    others: [],
    contradicting: [],
  });
  expect(sorted({ 'X-Priority': '1', Importance: 'low' }).contradicting).toEqual(['Importance']);
});

test('an importance nobody knows stays the header that it is', () => {
  expect(sorted({ 'X-Priority': '12', 'X-MSMail-Priority': 3 })).toEqual({
    fields: {},
    others: ['X-Priority', 'X-MSMail-Priority'],
    contradicting: [],
  });
});

test('a header without a value says nothing', () => {
  expect(sorted({ 'Reply-To': null, 'X-Order': '' })).toEqual({ fields: {}, others: [], contradicting: [] });
});

test.each(['X-Idempotency-Key', 'idempotency-key', 'Resend-Idempotency-Key'])(
  '%s among the headers of an email is its key, and recipients do not get it',
  (name) =>
    expect(sorted({ [name]: 'order-1' })).toMatchObject({
      fields: { idempotencyKey: 'order-1' },
      others: [],
    }),
);

test('two keys that differ only in case are two', () => {
  expect(sorted({ 'X-Idempotency-Key': 'a', 'Idempotency-Key': 'A' }).contradicting).toEqual([
    'Idempotency-Key',
  ]);
});
