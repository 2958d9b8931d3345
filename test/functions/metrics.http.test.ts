import { HttpRequest, type HttpResponseInit } from '@azure/functions';
import { afterEach, describe, expect, test } from 'vitest';
import { metricsHttp } from '../../src/functions/metrics.http.ts';
import { countEvents, logTo } from '../../src/functions/problem.ts';
import type { MetricsNeeds } from '../../src/lib/desk/read-metrics.ts';
import { AppError } from '../../src/lib/errors.ts';
import type { LogEvent } from '../../src/lib/log.ts';
import { makeFakeCounts } from '../support/fake-counts.ts';
import { makeFakeSamples } from '../support/fake-samples.ts';
import { IDENTITY } from '../support/identity-for-tests.ts';
import { bodyOf, invocation } from './invocation.ts';

const NOW = new Date('2026-03-02T08:00:00Z');

const ask = async (accept?: string, broken: Partial<MetricsNeeds> = {}) => {
  const samples = makeFakeSamples();
  await samples.write({
    at: NOW.toISOString(),
    queues: [],
    mailboxes: [
      {
        address: 'payroll@contoso.example',
        minute: 0.1,
        day: 0.1,
        sentLastDay: 1,
        recipientsLastDay: 1,
        pausesLastDay: 0,
      },
    ],
  });
  const needs: MetricsNeeds = {
    counts: makeFakeCounts(() => NOW),
    samples,
    readIdentity: async () => IDENTITY,
    clock: { now: () => NOW, sleep: async () => undefined },
    ...broken,
  };
  const headers = accept === undefined ? {} : { accept };
  const request = new HttpRequest({
    method: 'GET',
    url: 'https://relay.contoso.example/api/metrics',
    headers,
  });
  return (await metricsHttp(() => needs, '1.2.3')(request, invocation().context)) as HttpResponseInit;
};

describe('GET /api/metrics', () => {
  test.each([
    [undefined, 'text/plain; version=0.0.4; charset=utf-8'],
    [
      'application/openmetrics-text;version=1.0.0',
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
    ],
  ])('for Accept: %s returns %s, with the tag of a mailbox in place of its address', async (accept, type) => {
    const { body, headers } = await ask(accept);
    expect(headers).toMatchObject({ 'content-type': type, 'cache-control': 'no-store' });
    expect(body).toContain(`mailbox="${IDENTITY.hashOfAddress('payroll@contoso.example')}"`);
    expect(body).toContain('service_version="1.2.3"');
  });

  test('says that storage does not answer, rather than that nothing was counted', async () => {
    const counts = {
      ...makeFakeCounts(() => NOW),
      read: async () => {
        throw new AppError('STORAGE_UNAVAILABLE');
      },
    };
    const answer = await ask(undefined, { counts });
    expect([answer.status, bodyOf(answer).code]).toEqual([503, 'STORAGE_UNAVAILABLE']);
  });
});

describe('the log of an invocation', () => {
  afterEach(() => countEvents(() => undefined));

  test('counts every event that is written, and those that are only counted', () => {
    const counted: LogEvent[] = [];
    countEvents((event) => void counted.push(event));
    const { context, events } = invocation();
    const log = logTo(context);
    log({ event: 'MailAccepted', mailId: 'm', door: 'http' });
    log({ event: 'MailCanceled', mailId: 'm' });
    expect(counted.map(({ event }) => event)).toEqual(['MailAccepted', 'MailCanceled']);
    expect(events()).toEqual(['MailCanceled']);
  });
});
