import { describe, expect, test } from 'vitest';
import { dailyLimit, LIMITED } from './declared-callers.ts';
import { LONG_STOP_MS } from './outages.ts';
import { type PlannedMail, planRun, SUITE_RUN } from './plan.ts';
import { seeOperation } from './storage-operations.ts';
import { makeTroubles } from './troubles.ts';

describe('a plan', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(planRun(200, 7)).toEqual(planRun(200, 7));
    expect(planRun(200, 7)).not.toEqual(planRun(200, 8));
  });

  describe('of the test suite', () => {
    const plans = planRun(SUITE_RUN.mails, SUITE_RUN.seed);
    const kindsOf = (kinds: (plan: PlannedMail) => string | readonly string[]) =>
      [...new Set(plans.flatMap(kinds))].sort();
    const incidents = plans.flatMap(({ incident }) => incident ?? []);

    test('has every way in and every policy', () => {
      expect(kindsOf(({ way }) => way)).toEqual([
        'HTTP',
        'HTTP and queue',
        'HTTP, respond-async',
        'queue, base64',
        'queue, plain',
      ]);
      expect(kindsOf(({ policy }) => policy)).toEqual(['hold', 'resend', 'verify']);
    });

    test('has every fault of Graph, and one at every call for a draft', () => {
      expect(kindsOf(({ graphFaults }) => graphFaults.map(({ name }) => name))).toHaveLength(12);
      expect(kindsOf(({ graphFaults }) => graphFaults.map(({ draftCall }) => draftCall))).toEqual([
        'addAttachment',
        'createDraft',
        'createUploadSession',
        'deleteMessage',
        'getMessage',
        'sendDraft',
        'uploadRange',
      ]);
    });

    test('has every kind of incident, each at every time', () => {
      expect(new Set(incidents.map(({ kind }) => kind))).toEqual(
        new Set(['kill', 'stop', 'storage', 'message', 'entra', 'key vault']),
      );
      const kills = incidents.flatMap((one) => (one.kind === 'kill' ? one : []));
      expect(new Set(kills.map(({ when }) => when))).toEqual(new Set(['before', 'after', 'soon after']));
      expect(new Set(kills.map(({ whom }) => whom))).toEqual(new Set(['worker', 'host']));
      expect(kills.map(({ at }) => at)).toContain('accept');
      const stops = incidents.flatMap((one) => (one.kind === 'stop' ? one : []));
      expect(stops.some(({ ms, at }) => ms >= LONG_STOP_MS && at === 'write sending')).toBe(true);
      const messages = incidents.flatMap((one) => (one.kind === 'message' ? one.fate : []));
      expect(new Set(messages)).toEqual(new Set(['repeated', 'late']));
      const fates = incidents.flatMap((one) => (one.kind === 'storage' ? one.fate : []));
      expect(new Set(fates)).toEqual(new Set(['reset before', 'reset after', 'busy']));
    });

    test('has large files in blobs and in emails, one of them in MIME, and a kill while one is uploaded', () => {
      const large = plans.filter(({ largeFile }) => largeFile !== undefined);
      expect(new Set(large.map(({ largeFile }) => largeFile))).toEqual(
        new Set(['in a blob', 'in the email']),
      );
      expect(large.some(({ asMime }) => asMime)).toBe(true);
      expect(plans.filter(({ asMime }) => asMime).length).toBeGreaterThan(20);
      expect(large.flatMap(({ incident }) => (incident?.kind === 'kill' ? incident.at : []))).toContain(
        'read file',
      );
    });

    test('has declared callers, one of which wants to send more than its limit', () => {
      expect(new Set(plans.map(({ caller }) => caller))).toEqual(new Set([undefined, 'orders', 'reports']));
      expect(plans.filter(({ caller }) => caller === LIMITED).length).toBeGreaterThan(dailyLimit(plans) + 1);
      expect(plans.some(({ caller, way }) => (caller === 'orders') !== (way === 'HTTP and queue'))).toBe(
        false,
      );
    });

    test('has emails for later, some of them canceled, and none of these from the queue', () => {
      const later = plans.filter(({ laterMs }) => laterMs !== undefined);
      expect(new Set(later.map(({ cancel }) => cancel))).toEqual(new Set([true, false]));
      expect(plans.some(({ cancel, way }) => cancel && !way.startsWith('HTTP'))).toBe(false);
    });
  });
});

describe('the wire', () => {
  const body = Buffer.from('');
  test.each([
    ['POST', '/devstoreaccount1/mail/messages?visibilitytimeout=1', 'put message'],
    ['DELETE', '/devstoreaccount1/mail/messages/some-id?popreceipt=x', 'delete message'],
    ['GET', '/devstoreaccount1/mail/messages?numofmessages=8', 'other'],
    ['POST', '/devstoreaccount1/mail-poison/messages', 'other'],
    ['PUT', '/devstoreaccount1/mail-payloads/some-id.json', 'put payload'],
    ['DELETE', '/devstoreaccount1/mail-payloads/some-id.json', 'delete payload'],
    ['GET', '/devstoreaccount1/mail-attachments/large.bin', 'read file'],
    ['HEAD', '/devstoreaccount1/mail-attachments/large.bin', 'other'],
    ['PUT', '/devstoreaccount1/mail-held/2026-03-02/some-id.json', 'store record'],
  ])('%s %s is to %s', (method, path, operation) => {
    expect(seeOperation({ method, path, body }).operation).toBe(operation);
  });

  test('a ledger write is told with the state it brings about', () => {
    const row = { facts: { mailId: 'some-id' }, progress: {}, fate: { state: 'sending' } };
    const written = Buffer.from(JSON.stringify({ RowKey: 'some-id', row: JSON.stringify(row) }));
    const seen = seeOperation({ method: 'POST', path: '/devstoreaccount1/mailledger', body: written });
    expect(seen).toEqual({ operation: 'write sending', row });
    const batch = Buffer.from(`--batch\r\n\r\n{"RowKey":"open!x"}\r\n--batch\r\n${written}\r\n--batch--`);
    expect(seeOperation({ method: 'POST', path: '/devstoreaccount1/$batch', body: batch })).toEqual(seen);
  });

  test.each([
    [false, 'write draft'],
    [true, 'write submitting'],
  ])('a ledger write of a draft tells whether its sending begins: %s', (isSubmitted, operation) => {
    const row = { progress: { draft: { isSubmitted } }, fate: { state: 'sending' } };
    const written = Buffer.from(JSON.stringify({ RowKey: 'some-id', row: JSON.stringify(row) }));
    expect(
      seeOperation({ method: 'POST', path: '/devstoreaccount1/mailledger', body: written }).operation,
    ).toBe(operation);
  });
});

test('a kill before an operation lets nothing through, one after it lets nobody hear of it, and one soon after lets it be heard', () => {
  const troubles = makeTroubles(() => undefined);
  let killed = 0;
  const decide = () => troubles.decide({ operation: 'put message' }, () => (killed += 1));
  troubles.arm({ kind: 'kill', at: 'put message', when: 'before', whom: 'host' });
  troubles.arm({ kind: 'kill', at: 'put message', when: 'after', whom: 'host' });
  expect([decide(), killed]).toEqual([{ before: 'cut' }, 1]);
  expect([decide(), killed]).toEqual([{ after: 'kill', whom: 'host' }, 1]);
  troubles.arm({ kind: 'kill', at: 'put message', when: 'soon after', whom: 'host' });
  expect([decide(), killed]).toEqual([{ after: 'kill soon', whom: 'host' }, 1]);
  expect(decide()).toEqual({});
});
