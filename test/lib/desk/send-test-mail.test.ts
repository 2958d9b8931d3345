import { describe, expect, test } from 'vitest';
import type { ProvableConnection } from '../../../src/lib/desk/run-doctor.ts';
import { sendTestMail, type TestMailNeeds } from '../../../src/lib/desk/send-test-mail.ts';
import { AppError } from '../../../src/lib/errors.ts';
import type { SendReport } from '../../../src/lib/sending/send-outcome.ts';
import { knowing } from '../../support/a-caller.ts';
import { aConnection, aProof } from '../../support/doctor-facts.ts';
import { inMemoryPorts } from '../../support/in-memory-ports.ts';

const TO = 'admin@contoso.example';

const opened = (
  name: string,
  proveCredential: ProvableConnection['proveCredential'],
): ProvableConnection => ({
  connection: aConnection({ name, senders: name === 'main' ? [] : [`*@${name}.example`] }),
  proveCredential,
});

const relay = (report?: SendReport, changes: Partial<TestMailNeeds> = {}) => {
  const ports = inMemoryPorts(report);
  const asked: string[] = [];
  const connection = (name: string) =>
    opened(name, async () => {
      asked.push(name);
      return aProof();
    });
  const needs: TestMailNeeds = {
    ...ports.needs,
    callers: knowing(),
    connections: [connection('main'), connection('fabrikam')],
    language: 'en',
    app: 'relay-prod',
    accept: {
      ...ports.needs.accept,
      senderPolicy: { ...ports.needs.accept.senderPolicy, allowedSenders: ['*@fabrikam.example'] },
    },
    ...changes,
  };
  return { ...ports, needs, asked };
};

describe('a test email', () => {
  test('is sent in the way of every other, and its report has each step', async () => {
    const { needs, rows, plans, show } = relay({
      kind: 'answered',
      status: 202,
      graphRequestId: 'request-1',
    });
    show({ kind: 'found', from: 'Noreply@contoso.example' });
    const report = await sendTestMail(needs, { to: TO });
    expect(report).toEqual({
      id: rows()[0]?.mailId,
      state: 'sent',
      from: { address: 'Noreply@contoso.example', seenIn: 'sent-items' },
      connection: 'main',
      credential: {
        kind: 'client-secret',
        name: 'graph-client-secret',
        version: '0123456789abcdef',
        expiresOn: aProof().version?.expiresOn?.toISOString(),
      },
      graph: { status: 202, requestId: 'request-1' },
      steps: { tokenMs: 0, ledgerMs: 0, graphMs: 0, totalMs: 0 },
    });
    expect(plans).toHaveLength(1);
    expect(rows()[0]).toMatchObject({ caller: 'testMail', state: 'sent' });
  });

  test('goes by the connection of its sender, whose credential is proved', async () => {
    const { needs, asked } = relay();
    const report = await sendTestMail(needs, { to: TO, from: 'hr@fabrikam.example' });
    expect([report.connection, asked]).toEqual(['fabrikam', ['fabrikam']]);
    expect(report.from).toEqual({ address: 'hr@fabrikam.example', seenIn: 'settings' });
  });

  test('is not sent at all without a token: the reason is what an email would meet', async () => {
    const refused = new AppError('CLIENT_SECRET_EXPIRED', { upstreamCode: 'AADSTS7000222' });
    const { needs, rows, plans } = relay(undefined, {
      connections: [opened('main', () => Promise.reject(refused))],
    });
    await expect(sendTestMail(needs, { to: TO })).rejects.toBe(refused);
    expect([rows(), plans]).toEqual([[], []]);
  });

  test('from an address of a domain that is allowed as a whole says why too, which no caller is told', async () => {
    const { needs } = relay({ kind: 'answered', status: 404, upstreamCode: 'ErrorInvalidUser' });
    await expect(sendTestMail(needs, { to: TO, from: 'nobody@fabrikam.example' })).rejects.toMatchObject({
      code: 'MAILBOX_NOT_FOUND',
      facts: { upstreamCode: 'ErrorInvalidUser' },
    });
  });

  test('that Graph rejects says why', async () => {
    const { needs } = relay({ kind: 'answered', status: 403, upstreamCode: 'ErrorAccessDenied' });
    await expect(sendTestMail(needs, { to: TO })).rejects.toMatchObject({ code: 'MAILBOX_OUT_OF_SCOPE' });
  });

  test('that Graph cannot take now waits, and the report says why', async () => {
    const { needs } = relay({ kind: 'not-connected' });
    const report = await sendTestMail(needs, { to: TO });
    expect(report).toMatchObject({ state: 'deferred', reason: { code: 'GRAPH_UNREACHABLE' }, graph: {} });
  });

  test('from a sender that the settings do not allow is refused', async () => {
    const { needs } = relay();
    await expect(sendTestMail(needs, { to: TO, from: 'ceo@elsewhere.example' })).rejects.toMatchObject({
      code: 'SENDER_NOT_ALLOWED',
    });
  });

  test('is captured in a test environment that captures, without a token', async () => {
    const { needs, asked, plans } = relay();
    const safety = { ...needs.accept.safety, capture: true };
    const report = await sendTestMail({ ...needs, accept: { ...needs.accept, safety } }, { to: TO });
    expect(report).toMatchObject({ state: 'captured', captured: true });
    expect([asked, plans]).toEqual([[], []]);
  });

  test('with a key that was used is reported as the one before', async () => {
    const { needs, plans } = relay();
    const request = { to: TO, idempotencyKey: 'deployment-7' };
    const at = await sendTestMail(needs, request);
    const again = await sendTestMail(needs, request);
    expect(again).toMatchObject({ id: at.id, repeated: true });
    expect(plans).toHaveLength(1);
  });

  test.each([
    ['en', /^Test email from relay-prod$/],
    ['zh-Hant', /^relay-prod 的測試郵件$/],
  ] as const)('is written in %s', async (language, subject) => {
    const { needs, plans } = relay(undefined, { language });
    await sendTestMail(needs, { to: TO });
    const { default: PostalMime } = await import('postal-mime');
    const mime = await PostalMime.parse(Buffer.from(plans[0]?.body.toString() ?? '', 'base64'));
    expect(mime.subject).toMatch(subject);
    expect(mime.text).toContain('relay-prod');
    expect(mime.html).toContain(`lang="${language}"`);
  });
});
