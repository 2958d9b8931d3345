import { HttpRequest } from '@azure/functions';
import { expect, test } from 'vitest';
import { facadeHttp } from '../../src/functions/facade.http.ts';
import { resendFacade } from '../../src/functions/resend.http.ts';
import { makeKey } from '../../src/lib/callers/caller-key.ts';
import { AppError } from '../../src/lib/errors.ts';
import { aDeclaredCaller, knowing } from '../support/a-caller.ts';
import { inMemoryPorts, NOW } from '../support/in-memory-ports.ts';
import { invocation } from './invocation.ts';

const KEY = makeKey(NOW);
const EMAIL = { from: 'noreply@contoso.example', to: 'a@fabrikam.example', subject: 'Hello', text: 'Hello' };

/** The status for a permissive batch, in which writing the row of each email fails in its way. */
const statusWhere = async (failures: readonly Error[]): Promise<unknown> => {
  const world = inMemoryPorts();
  const callers = knowing(aDeclaredCaller('crm', { keys: [KEY.record] }));
  const rest = failures.values();
  const create = async () => Promise.reject(rest.next().value ?? new Error('no more failures'));
  const ports = { ...world.needs, callers, ledger: { ...world.needs.ledger, create } };
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
    },
    body: { string: JSON.stringify(failures.map(() => EMAIL)) },
  });
  return ((await handler(request, invocation().context)) as { status: number }).status;
};

test.each([
  ['nothing was accepted', [new AppError('STORAGE_UNAVAILABLE'), new AppError('STORAGE_UNAVAILABLE')], 503],
  ['one may have been sent', [new AppError('STORAGE_UNAVAILABLE'), new TypeError('canary')], 409],
])(
  'a batch of which none is known to be accepted may be repeated only where nothing was: %s',
  async (...[, failures, status]) => {
    expect(await statusWhere(failures)).toBe(status);
  },
);
