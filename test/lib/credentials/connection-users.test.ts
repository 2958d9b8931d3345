import { expect, test } from 'vitest';
import { UNLIMITED } from '../../../src/lib/callers/caller.ts';
import { makeKnownCallers } from '../../../src/lib/callers/known-callers.ts';
import { usersOf } from '../../../src/lib/credentials/connection-users.ts';
import { theMainConnection } from '../../support/a-connection.ts';

const main = theMainConnection();
const fabrikam = theMainConnection({ name: 'fabrikam', senders: ['*@fabrikam.example'] });
const invoices = theMainConnection({ name: 'invoices', senders: ['invoices@contoso.example'] });
const policy = {
  defaultSender: { address: 'noreply@contoso.example' },
  allowedSenders: ['*@contoso.example', '*@fabrikam.example', 'invoices@contoso.example'],
};
const declared = (name: string, senders?: readonly string[], isDisabled = false) => ({
  name,
  rules: { ...UNLIMITED, isDisabled, ...(senders === undefined ? {} : { senders }) },
  keys: [],
  apps: [],
  functionKeys: [],
});

const namesOf = (...callers: ReturnType<typeof declared>[]) =>
  Object.fromEntries(
    usersOf([main, fabrikam, invoices], policy, makeKnownCallers(callers)).map((one) => [
      one.connection.name,
      [one.senders.join(' '), one.callers.join(' ')],
    ]),
  );

test('each connection has its senders, and the callers that can send as one of them', () => {
  expect(
    namesOf(
      declared('everyone'),
      declared('payroll', ['hr@contoso.example']),
      declared('shop', ['*@fabrikam.example']),
      declared('billing', ['*@contoso.example']),
      declared('stranger', ['noreply@stranger.example']),
      declared('gone', ['hr@contoso.example'], true),
    ),
  ).toEqual({
    main: ['noreply@contoso.example *@contoso.example', 'everyone payroll billing function-keys queue'],
    fabrikam: ['*@fabrikam.example', 'everyone shop function-keys queue'],
    invoices: ['invoices@contoso.example', 'everyone billing function-keys queue'],
  });
});

test('holders of function keys and the queue count by their rules, where they have some', () => {
  const closed = [declared('function-keys', [], true), declared('queue', ['a@fabrikam.example'])];
  expect(namesOf(...closed)).toMatchObject({
    main: [expect.any(String), ''],
    fabrikam: [expect.any(String), 'queue'],
  });
});
