import { HttpRequest } from '@azure/functions';
import { expect, test } from 'vitest';
import { facadeHttp } from '../../src/functions/facade.http.ts';
import { resendFacade } from '../../src/functions/resend.http.ts';
import { makeKey } from '../../src/lib/callers/caller-key.ts';
import { AppError } from '../../src/lib/errors.ts';
import type { LedgerRow } from '../../src/lib/ledger/ledger-row.ts';
import type { Ports } from '../../src/lib/ports.ts';
import { aDeclaredCaller, knowing } from '../support/a-caller.ts';
import { inMemoryPorts, NOW } from '../support/in-memory-ports.ts';
import { invocation } from './invocation.ts';

const KEY = makeKey(NOW);
const EMAIL = { from: 'noreply@contoso.example', to: 'a@fabrikam.example', subject: 'Hello', text: 'Hello' };

type Answered = { readonly status: number; readonly jsonBody: unknown };

/** What a permissive batch of as many emails is answered where the ledger does this. */
const answerOf = async (count: number, ledger: Partial<Ports['ledger']>): Promise<Answered> => {
  const world = inMemoryPorts();
  const callers = knowing(aDeclaredCaller('crm', { keys: [KEY.record] }));
  const ports = { ...world.needs, callers, ledger: { ...world.needs.ledger, ...ledger } };
  const handler = facadeHttp(
    async () => resendFacade,
    {
      forIdentity: () => ({ callers, appTokens: { check: async () => ({}) } }),
      forSendMail: () => ({ ...ports, maxRequestBytes: 100_000 }),
      forStatus: () => ports,
      forDesk: () => ports,
    },
    '/api/resend',
  );
  const request = new HttpRequest({
    method: 'POST',
    url: 'https://relay.contoso.example/api/resend/emails/batch',
    headers: {
      authorization: `Bearer ${KEY.text}`,
      'content-type': 'application/json',
      'x-batch-validation': 'permissive',
      'idempotency-key': 'batch-1',
    },
    body: { string: JSON.stringify(Array.from({ length: count }, () => EMAIL)) },
  });
  return (await handler(request, invocation().context)) as Answered;
};

test.each([
  ['nothing was accepted', [new AppError('STORAGE_UNAVAILABLE'), new AppError('STORAGE_UNAVAILABLE')], 503],
  ['one may have been sent', [new AppError('STORAGE_UNAVAILABLE'), new TypeError('canary')], 409],
])(
  'a batch of which none is known to be accepted may be repeated only where nothing was: %s',
  async (...[, failures, status]) => {
    const rest = failures.values();
    const create = async () => Promise.reject(rest.next().value ?? new Error('no more failures'));
    expect(await answerOf(failures.length, { create })).toMatchObject({ status });
  },
);

test('an email that is being sent under its key is one that was accepted', async () => {
  const rows = new Map<string, LedgerRow>();
  const answer = await answerOf(2, {
    create: async (row) => {
      rows.set(row.facts.mailId, { ...row, fate: { state: 'sending' } } as LedgerRow);
      return undefined;
    },
    find: async (mailId) => {
      const row = rows.get(mailId);
      return row && { row, etag: '1' };
    },
  });
  expect(answer).toMatchObject({
    status: 200,
    jsonBody: { data: [...rows.keys()].map((id) => ({ id })), errors: [] },
  });
  expect(rows.size).toBe(2);
});
