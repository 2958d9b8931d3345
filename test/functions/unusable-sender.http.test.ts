import type { HttpResponseInit } from '@azure/functions';
import { HttpRequest } from '@azure/functions';
import { describe, expect, test } from 'vitest';
import { listMailHttp } from '../../src/functions/desk.http.ts';
import { mailStatusHttp } from '../../src/functions/mail-status.http.ts';
import { sendMailHttp } from '../../src/functions/send-mail.http.ts';
import { sendMailBatchHttp } from '../../src/functions/send-mail-batch.http.ts';
import { aMail } from '../support/a-mail.ts';
import { inMemoryPorts } from '../support/in-memory-ports.ts';
import { bodyOf, invocation, MAIL_URL, mailRequest } from './invocation.ts';

/** A relay whose settings allow every sender of Contoso, and name two; Graph refuses the mailbox. */
const aRelay = (status: number, upstreamCode: string) => {
  const world = inMemoryPorts({ kind: 'answered', status, upstreamCode, graphRequestId: 'a-request' });
  const senderPolicy = {
    defaultSender: { address: 'noreply@contoso.example' },
    allowedSenders: ['payroll@contoso.example', '*@contoso.example'],
  };
  const needs = () => ({ ...world.needs, accept: { ...world.needs.accept, senderPolicy }, senderPolicy });
  const logged: object[] = [];
  const run = async (handler: ReturnType<typeof listMailHttp>, request: HttpRequest) => {
    const { context, logged: lines } = invocation();
    const answer = (await handler(request, context)) as HttpResponseInit;
    logged.push(...lines.map(({ event }) => event));
    return { status: answer.status ?? 200, body: bodyOf(answer) };
  };
  const headers = { 'idempotency-key': 'one' };
  const get = (init: object) =>
    new HttpRequest({ method: 'GET', url: MAIL_URL, headers: { 'x-functions-key': 'a-key' }, ...init });
  return {
    ...world,
    logged,
    send: (from: string) => run(sendMailHttp(needs), mailRequest(aMail({ from }), { headers })),
    batch: (from: string) => run(sendMailBatchHttp(needs), mailRequest([aMail({ from })])),
    status: (id: string) => run(mailStatusHttp(needs), get({ params: { id } })),
    desk: (id: string) => run(listMailHttp(needs as never), get({ query: { id } })),
  };
};

const MISSING = [404, 'ErrorInvalidUser'] as const;
const CLOSED = [403, 'ErrorAccessDenied'] as const;

describe('a mailbox that only a pattern allows', () => {
  const told = async (...answer: readonly [number, string]) => {
    const relay = aRelay(...answer);
    const from = 'anybody@contoso.example';
    const [first, repeated, batch] = [
      await relay.send(from),
      await relay.send(from),
      await relay.batch(from),
    ];
    const { id } = first.body as { readonly id: string };
    const seen = [first, repeated, batch, await relay.status(id)];
    const same = (text: string) => text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'id');
    return { relay, id, seen, text: same(JSON.stringify(seen)) };
  };

  test('is told alike whether it is missing or closed to the relay: in the answer, again, in a batch and in the status', async () => {
    const [missing, closed] = [await told(...MISSING), await told(...CLOSED)];
    expect(missing.text).toBe(closed.text);
    expect(missing.seen[0]).toMatchObject({ status: 403, body: { code: 'SENDER_NOT_USABLE' } });
    expect(missing.seen[3]).toMatchObject({
      body: {
        state: 'rejected',
        reason: { code: 'SENDER_NOT_USABLE' },
        timeline: expect.arrayContaining([expect.objectContaining({ code: 'SENDER_NOT_USABLE' })]),
      },
    });
    expect(missing.text).not.toMatch(/upstreamCode|Error[A-Z]|MAILBOX_/);
  });

  test('has its true reason in the ledger, in the log and at the desk', async () => {
    const { relay, id } = await told(...MISSING);
    expect(relay.row(id)).toMatchObject({ reason: { code: 'MAILBOX_NOT_FOUND', upstreamCode: MISSING[1] } });
    expect(relay.logged.filter((event) => 'event' in event && event.event === 'RequestRefused')).toEqual(
      Array.from({ length: 3 }, () => expect.objectContaining({ code: 'MAILBOX_NOT_FOUND' })),
    );
    expect((await relay.desk(id)).body).toMatchObject({ reason: { code: 'MAILBOX_NOT_FOUND' } });
  });
});

test('a mailbox that is named is told as it is', async () => {
  const relay = aRelay(...CLOSED);
  const { status, body } = await relay.send('payroll@contoso.example');
  expect([status, body.code, body.upstreamCode]).toEqual([502, 'MAILBOX_OUT_OF_SCOPE', CLOSED[1]]);
  expect((await relay.status(String(body.id))).body).toMatchObject({
    reason: { code: 'MAILBOX_OUT_OF_SCOPE' },
  });
});
