import { expect, test } from 'vitest';
import { relayIdOf } from '../../../src/lib/inbox/relay-id.ts';
import { RELAY_ID_HEADER } from '../../../src/lib/sending/compose-mime.ts';
import { RELAY_ID_PROPERTY } from '../../../src/lib/sending/json-message.ts';
import { aCapturedMail } from '../../local/inbox/captured-mails.ts';

const ID = '01a2055c-e268-762b-8556-1836e3fff5b7';

test('the relay id is read from the property that the relay gives an email in JSON or a draft', () => {
  const singleValueExtendedProperties = [
    { id: 'String 0x1045', value: '<https://contoso.example/leave>' },
    { id: RELAY_ID_PROPERTY, value: ID },
  ];
  expect(relayIdOf(aCapturedMail({ message: { singleValueExtendedProperties } }))).toBe(ID);
});

test('the relay id is read from the header that the relay gives an email in MIME', () => {
  const header = { name: RELAY_ID_HEADER, value: ID };
  expect(relayIdOf(aCapturedMail({ headers: [header] }))).toBe(ID);
  expect(relayIdOf(aCapturedMail({ message: { internetMessageHeaders: [header] } }))).toBe(ID);
});

test('an email that the relay did not send has none', () => {
  expect(relayIdOf(aCapturedMail())).toBeUndefined();
});
