import { expect, test } from 'vitest';
import { conversationOf, referencesOf } from '../../../src/lib/inbox/conversation.ts';
import { aCapturedMail } from '../../local/inbox/captured-mails.ts';

const mail = (ID: string, MessageID = '', ...References: string[]) => ({ ID, MessageID, References });
const idsOf = (id: string, mails: Parameters<typeof conversationOf>[1]) =>
  conversationOf(id, mails).map(({ ID }) => ID);

test('an email and the answers to it are one conversation, from each of them', () => {
  const mails = [
    mail('third', 'c@x', 'a@x', 'b@x'),
    mail('other', 'z@x'),
    mail('second', 'b@x', 'a@x'),
    mail('first', 'a@x'),
  ];
  for (const id of ['first', 'second', 'third'])
    expect(idsOf(id, mails)).toEqual(['third', 'second', 'first']);
  expect(idsOf('other', mails)).toEqual(['other']);
});

test('two answers to an email that is not in the inbox are one conversation', () => {
  expect(idsOf('b', [mail('b', 'b@x', 'gone@x'), mail('a', 'a@x', 'gone@x')])).toEqual(['b', 'a']);
});

test('emails without a Message-ID are not connected', () => {
  expect(idsOf('a', [mail('b'), mail('a')])).toEqual(['a']);
});

test('a Message-ID that means something to the language is one like the others', () => {
  expect(idsOf('a', [mail('b', '__proto__'), mail('a', 'constructor')])).toEqual(['a']);
});

test('references are bare, each once, with the email replied to', () => {
  expect(
    referencesOf(aCapturedMail({ references: ['<a@x>', ' <b@x> ', '<a@x>', '<>'], inReplyTo: '<c@x>' })),
  ).toEqual(['a@x', 'b@x', 'c@x']);
});

test('of very many references the first and the latest are kept', () => {
  const references = Array.from({ length: 5000 }, (_, n) => `<${n}@x>`);
  const kept = referencesOf(aCapturedMail({ references }));
  expect([kept.length, kept[0], kept.at(-1)]).toEqual([100, '0@x', '4999@x']);
});
