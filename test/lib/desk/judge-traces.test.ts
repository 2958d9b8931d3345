import { describe, expect, test } from 'vitest';
import { decideFindings } from '../../../src/lib/desk/doctor-findings.ts';
import { lookAtTrace } from '../../../src/lib/desk/look-at-traces.ts';
import type { Reason } from '../../../src/lib/errors.ts';
import type { TraceFailure } from '../../../src/lib/ports.ts';
import { aConnection, healthyFacts, seen } from '../../support/doctor-facts.ts';
import { inMemoryPorts } from '../../support/in-memory-ports.ts';

const findingOf = (reason: Reason | undefined) =>
  decideFindings(healthyFacts({ traces: [{ connection: 'main', answer: seen(reason) }] })).find(
    ({ check }) => check === 'message-trace',
  );

describe('the doctor says whether message traces can be read, where MAIL_TRACE is on', () => {
  test('and nothing of them where it is off', () => {
    expect(decideFindings(healthyFacts()).some(({ check }) => check === 'message-trace')).toBe(false);
  });

  test.each([
    [undefined, 'ok', undefined],
    ['TRACE_PRINCIPAL_MISSING', 'warning', /az ad sp create --id 8bd644d1/],
    ['TRACE_NOT_PERMITTED', 'warning', /--also-grant ExchangeMessageTrace.Read.All consent/],
    ['TRACE_CLOUD_UNSUPPORTED', 'warning', /global cloud only/],
    ['TRACE_LIMIT_REACHED', 'unknown', /again in a few minutes/],
    ['TRACE_THROTTLED', 'unknown', /again in a few minutes/],
    ['TRACE_UNAVAILABLE', 'unknown', /again in a few minutes/],
  ] as const)('%s is %s', (code, state, remedy) => {
    const finding = findingOf(code && { code });
    expect(finding).toMatchObject({ state, subject: 'main' });
    if (remedy) expect(finding?.remedy).toMatch(remedy);
  });
});

describe('the doctor asks for one trace of no email', () => {
  const looking = (answer: TraceFailure | { readonly kind: 'rows'; readonly rows: [] }) => {
    const { needs } = inMemoryPorts();
    let asked = 0;
    const traces = {
      reach: () => ({ kind: 'reached', tenant: 'contoso.example' }) as const,
      list: async () => {
        asked += 1;
        return answer;
      },
      details: () => Promise.reject(new Error('nothing asks for details here')),
    };
    const look = () => lookAtTrace({ ...needs, traces }, { connection: aConnection() });
    return { look, asked: () => asked, needs };
  };

  test('which counts as every other request', async () => {
    const { look, asked, needs } = looking({ kind: 'rows', rows: [] });
    expect(await look()).toBeUndefined();
    expect(asked()).toBe(1);
    expect((await needs.traceUses.read('contoso.example')).use.requests).toHaveLength(1);
  });

  test('and tells why it was refused, without asking again at once', async () => {
    const { look, asked } = looking({ kind: 'failed', reason: { code: 'TRACE_PRINCIPAL_MISSING' } });
    expect(await look()).toEqual({ code: 'TRACE_PRINCIPAL_MISSING' });
    expect(await look()).toEqual({ code: 'TRACE_PRINCIPAL_MISSING' });
    expect(asked()).toBe(1);
  });
});
