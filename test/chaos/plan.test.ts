import { describe, expect, test } from 'vitest';
import { planRun } from './plan.ts';
import { seeOperation } from './storage-operations.ts';
import { makeTroubles } from './troubles.ts';

describe('a plan', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(planRun(200, 7)).toEqual(planRun(200, 7));
    expect(planRun(200, 7)).not.toEqual(planRun(200, 8));
  });

  test('of 300 mails has every way in, every policy and every kind of incident', () => {
    const plans = planRun(300, 1);
    const kinds = (values: readonly (string | undefined)[]) => new Set(values.filter(Boolean)).size;
    expect(kinds(plans.map(({ way }) => way))).toBe(4);
    expect(kinds(plans.map(({ policy }) => policy))).toBe(3);
    expect(kinds(plans.map(({ incident }) => incident?.kind))).toBeGreaterThanOrEqual(3);
    expect(kinds(plans.flatMap(({ graphFaults }) => graphFaults.map(({ name }) => name)))).toBe(10);
  });

  test('of 300 mails has large files in blobs and in mails, MIME, mails for later, some of them canceled, and kills while files are uploaded', () => {
    const plans = planRun(300, 11);
    const large = plans.filter(({ largeFile }) => largeFile !== undefined);
    expect(new Set(large.map(({ largeFile }) => largeFile))).toEqual(new Set(['in a blob', 'in the email']));
    expect(plans.filter(({ asMime }) => asMime).length).toBeGreaterThan(30);
    expect(large.some(({ asMime }) => asMime)).toBe(true);
    const later = plans.filter(({ laterMs }) => laterMs !== undefined);
    expect(new Set(later.map(({ cancel }) => cancel))).toEqual(new Set([true, false]));
    expect(plans.some(({ cancel, way }) => cancel && !way.startsWith('HTTP'))).toBe(false);
    const kills = large.flatMap(({ incident }) => (incident?.kind === 'kill' ? incident.at : []));
    expect(kills).toContain('read file');
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
  troubles.arm({ kind: 'kill', at: 'put message', when: 'before' });
  troubles.arm({ kind: 'kill', at: 'put message', when: 'after' });
  expect([decide(), killed]).toEqual([{ before: 'cut' }, 1]);
  expect([decide(), killed]).toEqual([{ after: 'kill' }, 1]);
  troubles.arm({ kind: 'kill', at: 'put message', when: 'soon after' });
  expect([decide(), killed]).toEqual([{ after: 'kill soon' }, 1]);
  expect(decide()).toEqual({});
});
