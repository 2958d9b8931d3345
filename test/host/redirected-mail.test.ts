import { afterAll, expect, test } from 'vitest';
import { EVENT_QUEUE } from '../../src/lib/storage/storage-connection.ts';
import { anInvitation } from '../support/an-invitation.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, eventually, newMarker, startRelay } from './relay-for-tests.ts';

const TESTER = 'canary-tester@contoso.example';

// Without the redirection at first: what was accepted then is redirected too.
const relay = await startRelay({ settings: { MAIL_EVENTS: 'queue' } });
afterAll(() => relay.close());

const BCC = 'canary-audit@bcc.example';
const original = (marker: string) =>
  canaryMail(marker, { cc: 'canary-lee@cc.example', bcc: BCC, replyTo: 'canary-desk@reply.example' });

/** The one email with this marker that Graph accepted reaches this address alone, and a Bcc address is nowhere in it. */
const expectTesterAlone = async (marker: string): Promise<void> => {
  const [mail] = await relay.arrives(marker);
  const { toRecipients, ccRecipients, bccRecipients, replyTo } = mail?.request.body.message ?? {};
  const people = [toRecipients, ccRecipients, bccRecipients, replyTo].flatMap((some) => some ?? []);
  expect(people.map(({ emailAddress }) => emailAddress.address)).toEqual([TESTER]);
  const everything = JSON.stringify(mail) + Buffer.from(mail?.mime ?? '', 'base64').toString();
  expect(everything).not.toContain(BCC);
};

const inWholeMessage = (marker: string): string =>
  Buffer.from(
    [
      'From: noreply@contoso.example',
      'To: canary-mei@to.example',
      `Bcc: ${BCC}`,
      `Subject: ${marker}`,
      '',
      'canary-body',
      '',
    ].join('\r\n'),
  ).toString('base64');

test('with MAIL_REDIRECT_TO every way leads to its address, and every answer says so', async () => {
  const earlier = newMarker();
  relay.cloud.graph.faults.add({ on: 'sendMail', fault: { kind: 'answer', status: 504, accept: false } });
  const held = await relay.send({ ...original(earlier), onUnknown: 'hold' });
  expect(held.body).not.toHaveProperty('redirected');
  await relay.reaches(held.body.id, 'held');
  await relay.restart({ MAIL_REDIRECT_TO: `Tests <${TESTER}>` });

  const [direct, queued, first, second, whole, invited] = Array.from({ length: 6 }, newMarker) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const sent = await relay.send(original(direct));
  expect(sent).toMatchObject({ status: 200, body: { state: 'sent', redirected: true } });
  await expectTesterAlone(direct);

  const batch = await relay.call('POST', '/api/mail/batch', {
    body: JSON.stringify({ mails: [original(first), { mime: inWholeMessage(whole) }] }),
    headers: { 'content-type': 'application/json' },
  });
  expect(batch.body.results).toMatchObject([
    { status: 200, redirected: true },
    { status: 200, redirected: true },
  ]);
  await expectTesterAlone(first);
  await expectTesterAlone(whole);

  const later = await relay.send(original(second), { prefer: 'respond-async' });
  expect(later).toMatchObject({ status: 202, body: { redirected: true } });
  await expectTesterAlone(second);

  await relay.enqueue(JSON.stringify(original(queued)));
  await expectTesterAlone(queued);

  const ics = anInvitation({ ATTENDEE: 'mailto:canary-mei@to.example' });
  await relay.send({ ...original(invited), calendar: { method: 'REQUEST', ics } });
  await expectTesterAlone(invited);

  expect((await relay.desk(`/api/mail/${held.body.id}/replay`, {})).status).toBe(202);
  await expectTesterAlone(earlier);

  expect((await relay.statusOf(sent.body.id)).body).toMatchObject({ redirected: true, recipients: 3 });
  await eventually(async () =>
    expect((await relay.show(held.body.id)).body).toMatchObject({ state: 'sent', redirected: true }),
  );
  const dryRun = await relay.call('POST', '/api/mail?dryRun=true', {
    body: JSON.stringify(original(newMarker())),
    headers: { 'content-type': 'application/json' },
  });
  expect(dryRun.body).toMatchObject({ dryRun: true, redirected: true });
  const { peekedMessageItems } = await relay.queueClient(EVENT_QUEUE).peekMessages({ numberOfMessages: 32 });
  const events = peekedMessageItems.map(({ messageText }) => JSON.parse(messageText));
  expect(events.find(({ data }) => data.mailId === sent.body.id)?.data).toMatchObject({ redirected: true });
});

test('what is on is told in the log once an instance starts and works, and to operators alone', async () => {
  expect(relay.lines.filter((line) => line.startsWith('{"event":"SafetyOn"'))).toEqual([
    '{"event":"SafetyOn","settings":["MAIL_REDIRECT_TO"]}',
  ]);
  await relay.logged('SafetyOn');
  const details = await relay.desk('/api/health/details');
  expect(details.headers.get('cache-control')).toBe('no-store');
  expect(details.body).toMatchObject({ status: 'up', safetyOn: ['MAIL_REDIRECT_TO'], settingsInvalid: [] });
  expect((await relay.call('GET', '/api/health/details', { key: KEYS.functionKey })).status).toBe(401);
  expect((await relay.call('GET', '/api/health', { key: '' })).body).not.toHaveProperty('safetyOn');
});

test('an email outside MAIL_RECIPIENT_DOMAINS is refused with 403, and one from the queue is held', async () => {
  await relay.restart({ MAIL_RECIPIENT_DOMAINS: 'contoso.example' });
  const [within, outside] = [newMarker(), newMarker()];
  expect((await relay.send(canaryMail(within, { to: 'canary-chan@contoso.example' }))).status).toBe(200);
  const refused = await relay.send(canaryMail(outside));
  expect(refused).toMatchObject({ status: 403, body: { code: 'RECIPIENT_OUTSIDE_DOMAINS' } });
  await relay.enqueue(JSON.stringify(canaryMail(outside)));
  await relay.logged('MailHeld', { code: 'RECIPIENT_OUTSIDE_DOMAINS' });
  expect(await relay.mailsAbout(outside)).toEqual([]);
});

test('no log line and no error names an address', () => expectNoCanary(relay));
