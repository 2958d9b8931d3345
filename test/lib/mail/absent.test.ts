import { describe, expect, test } from 'vitest';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { aFile, aMail } from '../../support/a-mail.ts';
import { problemsOf } from '../../support/problems-of.ts';

const read = (override: Record<string, unknown>) => readMail(aMail(override));

describe('what serialisers write for nothing is nothing', () => {
  const plain = readMail(aMail());
  const optional = [
    'from',
    'cc',
    'bcc',
    'replyTo',
    'html',
    'attachments',
    'headers',
    'importance',
    'saveToSentItems',
    'readReceipt',
    'deliveryReceipt',
    'idempotencyKey',
    'onUnknown',
    'priority',
    'tags',
  ];

  test.each(
    optional.flatMap((field) => [
      [field, null],
      [field, ''],
    ]),
  )('%s: %j', (field, value) => {
    expect(read({ [String(field)]: value })).toEqual(plain);
  });

  test.each<[string, Record<string, unknown>]>([
    ['recipients', { to: ['', 'chan@contoso.example', null, ' '], cc: [''] }],
    ['tags', { tags: ['', null] }],
    ['files', { attachments: ['', null] }],
    ['headers', { headers: { 'x-a': null, 'x-b': '' } }],
    ['a name', { to: { name: null, address: 'chan@contoso.example' } }],
    ['an empty name', { to: { name: '', address: 'chan@contoso.example' } }],
  ])('in %s', (_, override) => {
    expect(read(override)).toEqual(plain);
  });

  test('of an empty body and a full one the full one counts', () => {
    expect(read({ html: '' }).text).toBe(plain.text);
    expect(read({ text: '', html: '<p>x</p>' })).toMatchObject({ html: '<p>x</p>' });
    expect(read({ text: '', html: '<p>x</p>' })).not.toHaveProperty('text');
    expect(read({ text: '', html: '' }).text).toBe('');
    expect(problemsOf(() => read({ text: null, html: null }))).toEqual(['BODY_MISSING /text']);
  });

  test('an optional field of a file', () => {
    expect(read({ attachments: [aFile({ contentType: null, cid: '' })] }).attachments).toEqual([
      { filename: 'a.txt', content: 'YQ==', contentType: 'text/plain' },
    ]);
  });

  test('words are read in capitals too', () => {
    expect(read({ importance: 'High', onUnknown: 'VERIFY', priority: 'Bulk' })).toMatchObject({
      importance: 'high',
      onUnknown: 'verify',
      priority: 'bulk',
    });
  });

  test('what is required is not absent without a word', () => {
    expect(problemsOf(() => read({ subject: null }))).toEqual(['FIELD_INVALID /subject']);
    expect(problemsOf(() => read({ to: ['', null] }))).toEqual(['RECIPIENT_MISSING /to']);
    expect(problemsOf(() => read({ attachments: [aFile({ content: null })] }))).toEqual([
      'FIELD_INVALID /attachments/0/content',
    ]);
  });
});
