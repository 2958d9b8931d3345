import { HttpRequest } from '@azure/functions';
import { describe, expect, test } from 'vitest';
import { doctorHttp } from '../../src/functions/doctor.http.ts';
import { testMailHttp } from '../../src/functions/test-mail.http.ts';
import type { DoctorReport, ProvableConnection } from '../../src/lib/desk/run-doctor.ts';
import { AppError } from '../../src/lib/errors.ts';
import { knowing } from '../support/a-caller.ts';
import { aConnection, aProof } from '../support/doctor-facts.ts';
import { inMemoryPorts } from '../support/in-memory-ports.ts';
import { bodyOf, invocation, mailRequest } from './invocation.ts';

describe('GET /api/doctor', () => {
  const report: DoctorReport = {
    state: 'failed',
    time: '2026-03-02T08:00:00.000Z',
    version: '1.2.3',
    findings: [{ check: 'token', state: 'failed', seen: 'No.', remedy: 'Renew it.' }],
  };
  const ask = (accept?: string) =>
    doctorHttp(async () => report)(
      new HttpRequest({
        method: 'GET',
        url: 'https://relay.contoso.example/api/doctor',
        headers: accept === undefined ? {} : { accept },
      }),
      invocation().context,
    );

  test('returns 200 also where something failed: the status says that the doctor ran, the body what it found', async () => {
    expect(await ask()).toMatchObject({
      jsonBody: report,
      headers: { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
    });
  });

  test.each([
    ['text/plain', true],
    ['text/plain; charset=utf-8, */*;q=0.1', true],
    ['text/plain, application/json', false],
    ['*/*', false],
    ['text/html', false],
  ])('for Accept: %s, text is %s', async (accept, isText) => {
    const answer = await ask(accept);
    expect(String(answer.body ?? '').startsWith('Graph Mail Relay 1.2.3')).toBe(isText);
    expect('jsonBody' in answer).toBe(!isText);
  });
});

describe('POST /api/mail/test', () => {
  const ask = async (
    body: unknown,
    proveCredential: ProvableConnection['proveCredential'] = async () => aProof(),
  ) => {
    const ports = inMemoryPorts({ kind: 'answered', status: 202, graphRequestId: 'request-1' });
    const needs = () => ({
      ...ports.needs,
      callers: knowing(),
      connections: [
        {
          connection: aConnection(),
          proveCredential,
        },
      ],
      language: 'en' as const,
      app: 'relay-prod',
    });
    const { context, events } = invocation();
    const answer = await testMailHttp(needs)(mailRequest(body), context);
    return { status: answer.status, body: bodyOf(answer), plans: ports.plans, events: events() };
  };

  test('sends an email and reports on it', async () => {
    const { status, body, plans } = await ask({ to: 'admin@contoso.example' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ state: 'sent', graph: { status: 202, requestId: 'request-1' } });
    expect(plans).toHaveLength(1);
  });

  test.each([
    [{}, ['/to']],
    [{ to: 'no address' }, ['/to']],
    [{ to: ['a@b.example'] }, ['/to']],
    [{ to: 'a@b.example', from: 7 }, ['/from']],
    [{ to: 'a@b.example', subject: 'mine' }, ['']],
    [[], ['']],
    [{ to: '', from: '', x: 1 }, ['/to', '/from', '']],
  ])('%j is refused with what it should be, and nothing is sent', async (input, pointers) => {
    const { status, body, plans } = await ask(input);
    expect([status, body.code]).toEqual([400, 'FIELD_INVALID']);
    const problems = body.problems as { readonly pointer: string }[];
    expect(problems.map(({ pointer }) => pointer)).toEqual(pointers);
    expect(plans).toEqual([]);
  });

  test('returns the reason and the remedy where there is no token', async () => {
    const { status, body, events } = await ask({ to: 'a@b.example' }, () =>
      Promise.reject(new AppError('CLIENT_SECRET_EXPIRED', { upstreamCode: 'AADSTS7000222' })),
    );
    expect(status).toBe(502);
    expect(body).toMatchObject({ code: 'CLIENT_SECRET_EXPIRED', upstreamCode: 'AADSTS7000222' });
    expect(body.remedy).toContain('infra/deploy.sh');
    expect(events).toEqual(['RequestRefused']);
  });
});
