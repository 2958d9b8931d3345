import { describe, expect, test } from 'vitest';
import { BOUNCES, OTHERS, type ReportShape } from '../../../local/graph/reports/report-shapes.ts';
import { writeReport } from '../../../local/graph/reports/write-report.ts';
import type { ReceivedMessage } from '../../../src/lib/bounces/received-message.ts';
import { deliveriesIn, toReport } from '../../../src/lib/bounces/report.ts';
import { readReportContent } from '../../../src/lib/bounces/report-content.ts';
import { reportKindOf } from '../../../src/lib/bounces/report-kind.ts';
import { claimNew, recordSent } from '../../../src/lib/ledger/transitions.ts';
import { aNewMail } from '../../support/a-new-mail.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';

const NOW = new Date('2026-03-02T08:00:00Z');
const MAIL_ID = '0195f000-0000-7000-8000-000000000001';
const RECIPIENTS = ['bounce@fabrikam.example', 'bo@fabrikam.example'];

const written = (shape: ReportShape, recipients = RECIPIENTS.slice(0, 1)) =>
  writeReport(shape, {
    mail: {
      id: 'copy',
      acceptedAt: NOW.toISOString(),
      mailbox: 'noreply@contoso.example',
      graphRequestId: 'r',
      internetMessageId: '<pay-slip@contoso.example>',
      headers: [{ name: 'X-MailRelay-Id', value: MAIL_ID }],
      request: { method: 'POST', path: '/', headers: {}, body: { message: { subject: 'Pay slip 薪資單' } } },
    },
    recipients,
    domain: 'contoso.example',
    at: NOW,
    id: 'report',
  });

const received = ({ itemClass, headers, toAddresses }: ReturnType<typeof written>): ReceivedMessage => ({
  id: 'id',
  receivedAt: NOW,
  itemClass,
  headers,
  toAddresses,
});

const reportOf = async (shape: ReportShape, recipients?: string[], cut?: number) => {
  const one = written(shape, recipients);
  const message = received(one);
  const kind = reportKindOf(message);
  if (kind === undefined || kind === 'receipt') return undefined;
  return toReport(message, kind, await readReportContent(one.mime.slice(0, cut)));
};

const row = recordSent(
  claimNew(
    aNewMail(NOW, { recipients: 2, recipientHashes: RECIPIENTS.map(IDENTITY.hashOfAddress) }),
    true,
    NOW,
  ),
  { at: NOW.toISOString(), outcome: 'accepted' },
  NOW,
);

describe('a report in the shape that it has from', () => {
  test.each<[string, ReportShape, Partial<Record<'status' | 'code' | 'id' | 'header', string>>]>([
    [
      'Exchange',
      BOUNCES[''],
      { status: 'failed', code: '5.1.10', id: '<pay-slip@contoso.example>', header: MAIL_ID },
    ],
    [
      'Exchange in German',
      BOUNCES.de,
      { status: 'failed', code: '5.1.10', id: '<pay-slip@contoso.example>' },
    ],
    ['Exchange in Dutch', BOUNCES.nl, { status: 'failed', code: '5.1.10', id: '<pay-slip@contoso.example>' }],
    [
      'Exchange in Chinese',
      BOUNCES.zh,
      { status: 'failed', code: '5.1.10', id: '<pay-slip@contoso.example>' },
    ],
    [
      'Postfix',
      BOUNCES.postfix,
      { status: 'failed', code: '5.1.1', id: '<pay-slip@contoso.example>', header: MAIL_ID },
    ],
    ['sendmail', BOUNCES.sendmail, { status: 'failed', code: '5.2.2', id: '<pay-slip@contoso.example>' }],
    ['Amazon SES, with the code in the words alone', BOUNCES.ses, { status: 'failed', code: '5.4.1' }],
    ['someone who forwarded it', BOUNCES.forwarded, { status: 'failed', code: '5.1.10', header: MAIL_ID }],
    ['a server that returns nothing', BOUNCES.silent, { status: 'failed', code: '5.1.10' }],
    ['Exchange, of a delay', BOUNCES.delayed, { status: 'pending', code: '4.4.7' }],
    ['Exchange, of a delivery', OTHERS['delivered@'], { status: 'delivered', code: '2.1.5' }],
    ['Exchange, of a hand-over', OTHERS['relayed@'], { status: 'delivered', code: '2.1.9' }],
  ])('%s says whom it is about, what became of it, why, and of which email', async (_case, shape, said) => {
    const report = await reportOf(shape);
    const { status, code, id, header } = said;
    expect(report?.recipients).toEqual([{ addresses: ['bounce@fabrikam.example'], status, code }]);
    if (id !== undefined) expect(report?.messageIds).toEqual([id]);
    if (header !== undefined) expect(report?.mailId).toBe(header);
  });

  test('Exchange for several recipients says it of each', async () => {
    const report = await reportOf(BOUNCES[''], RECIPIENTS);
    expect(report?.recipients.map(({ addresses }) => addresses)).toEqual(RECIPIENTS.map((one) => [one]));
  });

  test('a person who is away is none', async () => {
    expect(await reportOf(OTHERS['out-of-office@'])).toBeUndefined();
  });
});

describe('a report whose MIME cannot be read', () => {
  test('or is cut before its fields: whom Exchange names counts, and what its class says', async () => {
    for (const cut of [0, 40, 900]) {
      const report = await reportOf(BOUNCES[''], RECIPIENTS, cut);
      expect(report?.recipients.map(({ addresses, status }) => [...addresses, status])).toEqual(
        RECIPIENTS.map((one) => [one, 'failed']),
      );
      expect(report?.messageIds).toEqual(['<pay-slip@contoso.example>']);
    }
  });

  test('says nothing where not even its class says more', () => {
    const message = received(written(BOUNCES['']));
    expect(toReport(message, 'status', { recipients: [], messageIds: [] }).recipients).toEqual([]);
  });

  test('takes the code from the text, if it is about one recipient', () => {
    const code = '5.7.1';
    const message = { ...received(written(BOUNCES[''])), toAddresses: RECIPIENTS };
    const content = { recipients: [], messageIds: [], code };
    expect(toReport(message, 'failed', content).recipients.map((one) => one.code)).toEqual([
      undefined,
      undefined,
    ]);
    const one = { ...message, toAddresses: RECIPIENTS.slice(0, 1) };
    expect(toReport(one, 'failed', content).recipients.map((each) => each.code)).toEqual([code]);
  });
});

describe('of an email, a report says something', () => {
  const about = (...addresses: string[]) => ({
    reportedAt: NOW,
    messageIds: [],
    recipients: [{ addresses, status: 'failed' as const, code: '5.1.1' }],
  });

  test('of a recipient that it has, in any case of its letters', () => {
    expect(
      deliveriesIn(about('inside@x.example', 'BO@fabrikam.example'), row, IDENTITY.hashOfAddress),
    ).toEqual([
      {
        recipient: IDENTITY.hashOfAddress('bo@fabrikam.example'),
        status: 'failed',
        source: 'report',
        at: NOW.toISOString(),
        code: '5.1.1',
      },
    ]);
  });

  test('of nobody else: anybody can write a report', () => {
    expect(deliveriesIn(about('director@contoso.example'), row, IDENTITY.hashOfAddress)).toEqual([]);
  });

  test('as a guess, where nothing else connects them', () => {
    const [one] = deliveriesIn(about('bo@fabrikam.example'), row, IDENTITY.hashOfAddress, { isGuess: true });
    expect(one?.isGuess).toBe(true);
  });
});
