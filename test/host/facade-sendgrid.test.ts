import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sendgridMail from '@sendgrid/mail';
import { afterAll, describe, expect, test } from 'vitest';
import { obtainCertificate } from '../../local/certificate.ts';
import { LOCAL_CALLER_ID } from '../../local/directory.ts';
import type { CapturedMail } from '../../src/lib/inbox/captured-mail.ts';
import { features } from '../fixtures/facade-features/sendgrid.ts';
import { endCompilers, run } from '../support/caller-examples.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { TOOLS_MS } from '../support/patience.ts';
import { getAppToken } from './app-token.ts';
import { expectNoCanary } from './no-canary.ts';
import { CANARY, eventually, newMarker, startRelay } from './relay-for-tests.ts';

const relay = await startRelay({
  settings: { MAIL_FACADES: 'sendgrid', MAIL_VERIFY_SECONDS: '4' },
  sentItemsDelayMs: 500,
});
const folder = mkdtempSync(join(tmpdir(), 'sendgrid-clients-'));
afterAll(async () => {
  await relay.close();
  await endCompilers(folder);
  rmSync(folder, { recursive: true, force: true });
}, TOOLS_MS);

const json = { 'content-type': 'application/json' };
const operate = (path: string, body: object) =>
  relay.call('POST', path, { key: KEYS.masterKey, headers: json, body: JSON.stringify(body) });
await operate('/api/callers', { name: 'shop', senders: ['*@contoso.example'], apps: [LOCAL_CALLER_ID] });
const KEY = String((await operate('/api/callers/shop/keys', {})).body.key);

// The types say that the package is a class; it is an instance, which has the classes.
type Client = Parameters<(typeof sendgridMail)['setClient']>[0];
const Client = (sendgridMail as unknown as { readonly client: { readonly constructor: new () => Client } })
  .client.constructor;
const { MailService } = sendgridMail as unknown as { readonly MailService: new () => typeof sendgridMail };
type MailDataRequired = Exclude<Parameters<(typeof sendgridMail)['send']>[0], readonly unknown[]>;

/** The client library of SendGrid, unchanged but for the key and the base URL. */
const clientsFor = (key: string, path = '/api/sendgrid') => {
  const client = new Client();
  const sgMail = new MailService();
  sgMail.setClient(client);
  sgMail.setApiKey(`SG.${key}`);
  client.setDefaultRequest('baseUrl', `${relay.url()}${path}`);
  return { sgMail, client };
};
const { sgMail, client } = clientsFor(KEY);

const aMessage = (marker: string, more: Partial<MailDataRequired> = {}): MailDataRequired =>
  ({
    to: `${CANARY}-to@fabrikam.example`,
    from: 'noreply@contoso.example',
    subject: `${CANARY}-subject ${marker}`,
    text: `${CANARY}-body`,
    ...more,
  }) as MailDataRequired;

type Thrown = {
  readonly code: number;
  readonly message: string;
  readonly response: {
    readonly headers: Readonly<Record<string, string>>;
    readonly body: {
      readonly errors: readonly { readonly message: string; readonly field: string | null }[];
    };
  };
};
/** With what the library throws in its message. */
const sent = async <Value>(sending: Promise<Value>): Promise<Value> =>
  sending.catch((error) => {
    throw new Error(String(error), { cause: error });
  });
/** What the library throws. */
const thrownBy = async (sending: Promise<unknown>): Promise<Thrown> => {
  const thrown = await sending.then(
    () => undefined,
    (error: Thrown) => error,
  );
  if (thrown === undefined) throw new Error('expected an error of the library, and there was none');
  relay.problems.push(JSON.stringify(thrown.response.body));
  return thrown;
};

const idOf = ([response]: readonly unknown[]): string =>
  String((response as { readonly headers: Readonly<Record<string, string>> }).headers['x-message-id']);
const recipientsOf = ({ request: { body } }: CapturedMail) =>
  (body.message.toRecipients ?? []).map(({ emailAddress }) => emailAddress);
const arrived = async (marker: string): Promise<CapturedMail> => {
  const [mail] = await relay.arrives(marker);
  if (mail === undefined) throw new Error('no email');
  return mail;
};
const tagsOf = async (id: string) => (await relay.show(id)).body.tags;

describe('@sendgrid/mail', () => {
  test('sends its first documented example', async () => {
    const marker = newMarker();
    const [response] = await sgMail.send({
      to: 'canary-test@fabrikam.example',
      from: 'noreply@contoso.example',
      subject: `Sending with SendGrid is Fun ${marker}`,
      text: 'and easy to do anywhere, even with Node.js',
      html: '<strong>and easy to do anywhere, even with Node.js</strong>',
    });
    expect([response.statusCode, response.body]).toEqual([202, '']);
    const mail = await arrived(marker);
    expect(recipientsOf(mail)).toEqual([{ address: 'canary-test@fabrikam.example' }]);
    expect(mail.text?.trim()).toBe('and easy to do anywhere, even with Node.js');
    expect(mail.request.body.message.body).toMatchObject({
      contentType: 'html',
      content: expect.stringContaining('<strong>and easy'),
    });
    expect(await relay.show(idOf([response]))).toMatchObject({
      body: { state: 'sent', caller: 'shop' },
    });
  });

  test('sends everything that an email can have', async () => {
    const marker = newMarker();
    const large = Buffer.alloc(1_500_000, 'canary 薪資單 ').toString('base64');
    const id = idOf(
      await sent(
        sgMail.send(
          aMessage(marker, {
            to: [{ email: 'canary-to@fabrikam.example', name: 'Chan, Tai Man' }, 'lee@fabrikam.example'],
            cc: 'cc@fabrikam.example',
            bcc: ['bcc@fabrikam.example'],
            from: { email: 'noreply@contoso.example', name: 'Contoso 商店' },
            replyTo: 'help@contoso.example',
            html: '<p>canary-body <img src="cid:logo"></p>',
            attachments: [
              {
                content: large,
                filename: 'statement.pdf',
                type: 'application/pdf',
                disposition: 'attachment',
              },
              {
                content: 'iVBORw0K',
                filename: 'logo.png',
                type: 'image/png',
                disposition: 'inline',
                // As documented for this library; it does not translate the name that its types have.
                ...{ content_id: 'logo' },
              },
            ],
            headers: { 'X-Order': '4711', 'X-Api-Key': 'of the email', 'X-Priority': '1' },
            categories: ['Order confirmation'],
            customArgs: { order: '4711' },
            trackingSettings: { clickTracking: { enable: false }, openTracking: { enable: false } },
          }),
        ),
      ),
    );
    const mail = await arrived(marker);
    const { message } = mail.request.body;
    const [statement] = (message.attachments ?? []).filter(({ name }) => name === 'statement.pdf');
    expect(statement?.contentBytes === large).toBe(true);
    expect(recipientsOf(mail)).toEqual([
      { name: 'Chan, Tai Man', address: 'canary-to@fabrikam.example' },
      { address: 'lee@fabrikam.example' },
    ]);
    expect(message).toMatchObject({
      from: { emailAddress: { name: 'Contoso 商店', address: 'noreply@contoso.example' } },
      ccRecipients: [{ emailAddress: { address: 'cc@fabrikam.example' } }],
      bccRecipients: [{ emailAddress: { address: 'bcc@fabrikam.example' } }],
      replyTo: [{ emailAddress: { address: 'help@contoso.example' } }],
      importance: 'high',
      attachments: expect.arrayContaining([
        expect.objectContaining({ name: 'logo.png', isInline: true, contentId: 'logo' }),
      ]),
      internetMessageHeaders: expect.arrayContaining([{ name: 'X-Order', value: '4711' }]),
    });
    expect(await tagsOf(id)).toEqual(['Order-confirmation', 'order.4711']);
  });

  test('sends an email to each recipient with sendMultiple, and all are found by the id that the response has', async () => {
    const marker = newMarker();
    const to = ['canary-1@fabrikam.example', 'canary-2@fabrikam.example', 'canary-3@fabrikam.example'];
    const id = idOf(
      await sgMail.sendMultiple({
        ...aMessage(marker, { to, text: 'Dear {{name}}', substitutions: { name: 'customer' } }),
        subject: `{{name}} ${marker}`,
      }),
    );
    const mails = await relay.arrives(marker, 3);
    expect(
      mails
        .flatMap(recipientsOf)
        .map(({ address }) => address)
        .sort(),
    ).toEqual(to);
    expect(mails.map(({ request }) => request.body.message.subject)).toEqual(
      Array(3).fill(`customer ${marker}`),
    );
    expect((await relay.reaches(id, 'sent')).caller).toBe('shop');
    const { body } = await relay.desk(`/api/mail?tag=sendgrid-${id}`);
    expect(body.mails).toHaveLength(3);
  });

  test('sends a list of messages, each with its own response', async () => {
    const markers = [newMarker(), newMarker()];
    const responses = (await sgMail.send(
      markers.map((marker) => aMessage(marker)),
    )) as unknown as unknown[][];
    expect(new Set(responses.map(idOf)).size).toBe(2);
    for (const marker of markers) await relay.arrives(marker);
  });

  test('sends once what is repeated with the same key', async () => {
    const marker = newMarker();
    const message = aMessage(marker, { headers: { 'X-Idempotency-Key': `order-${marker}` } });
    const first = idOf(await sgMail.send(message));
    expect(idOf(await sgMail.send(message))).toBe(first);
    const changed = { ...message, text: 'canary, and another text' } as MailDataRequired;
    expect(await thrownBy(sgMail.send(changed))).toMatchObject({ code: 400 });
    const mail = await arrived(marker);
    expect(JSON.stringify(mail)).not.toContain('Idempotency');

    const bulk = newMarker();
    const several = aMessage(bulk, {
      to: ['canary-1@fabrikam.example', 'canary-2@fabrikam.example'],
      headers: { 'X-Idempotency-Key': `run-${bulk}` },
    });
    const id = idOf(await sgMail.sendMultiple(several));
    // One whose attempt is in progress is answered 429.
    await relay.arrives(bulk, 2);
    await relay.reaches(id, 'sent');
    const repeated = () => sgMail.sendMultiple(several);
    expect(idOf(await eventually(repeated))).toBe(id);
    expect((await relay.desk(`/api/mail?tag=sendgrid-${id}`)).body.mails).toHaveLength(2);
    // The key is of both, and of no other number of recipients.
    for (const to of [
      ['canary-1@fabrikam.example'],
      [...(several.to as string[]), 'canary-3@fabrikam.example'],
    ])
      expect(await thrownBy(sgMail.sendMultiple({ ...several, to } as MailDataRequired))).toMatchObject({
        code: 400,
        response: {
          body: { errors: [{ message: expect.stringContaining('IDEMPOTENCY_KEY_REUSED') }] },
        },
      });
    expect((await relay.desk(`/api/mail?tag=sendgrid-${id}`)).body.mails).toHaveLength(2);
  });

  test('is answered 202 where it is unknown whether Graph sent an email, which then goes out once', async () => {
    const marker = newMarker();
    const from = 'lane0@contoso.example';
    relay.cloud.graph.faults.add({
      on: 'sendMail',
      mailbox: from,
      fault: { kind: 'answer', status: 504, accept: true },
    });
    const id = idOf(await sgMail.send(aMessage(marker, { from })));
    expect(await relay.reaches(id, 'sent')).toMatchObject({ verified: true });
    expect(await relay.mailsAbout(marker)).toHaveLength(1);
  });

  test('throws what is wrong, with the fields of SendGrid, and nothing is sent', async () => {
    const marker = newMarker();
    const wrong = await thrownBy(
      sgMail.send(aMessage(marker, { to: [{ email: 'canary-to' }], templateId: 'd-4711' } as never)),
    );
    expect(wrong).toMatchObject({ code: 400, message: 'Bad Request' });
    expect(wrong.response.body.errors).toMatchObject([{ field: 'template_id', help: null }]);
    expect(wrong.response.body.errors[0]?.message).toMatch(
      /render it in the application.*FACADE_FIELD_NOT_CARRIED/,
    );
    const address = await thrownBy(sgMail.send(aMessage(marker, { to: [{ email: 'canary-to' }] } as never)));
    expect(address.response.body.errors).toMatchObject([{ field: 'personalizations.0.to.0.email' }]);
    const several = await thrownBy(
      sgMail.sendMultiple(aMessage(marker, { to: ['canary-1@fabrikam.example', 'canary-2'] })),
    );
    expect(several.response.body.errors).toMatchObject([{ field: 'personalizations.1.to.0.email' }]);
    expect(await relay.mailsAbout(marker)).toEqual([]);
  });

  test('throws 401 for a wrong key and 403 for a sender that is not allowed', async () => {
    const marker = newMarker();
    const other = clientsFor(`${KEY.slice(0, -1)}${KEY.endsWith('A') ? 'B' : 'A'}`).sgMail;
    const unknown = await thrownBy(other.send(aMessage(marker)));
    expect([unknown.code, unknown.response.headers['www-authenticate']]).toEqual([401, 'Bearer']);
    expect(unknown.response.body.errors[0]?.message).toContain('KEY_NOT_ACCEPTED');
    const sender = await thrownBy(sgMail.send(aMessage(marker, { from: 'canary@other.example' })));
    expect([sender.code, sender.response.body.errors[0]?.field]).toEqual([403, 'from']);
  });

  test('throws what Graph says of an email that it rejects', async () => {
    const from = 'lane1@contoso.example';
    relay.cloud.graph.faults.add({
      on: 'sendMail',
      mailbox: from,
      fault: { kind: 'answer', status: 400, code: 'ErrorInvalidRecipients' },
    });
    const rejected = await thrownBy(sgMail.send(aMessage(newMarker(), { from })));
    expect(rejected.code).toBe(400);
    expect(rejected.response.body.errors[0]?.message).toContain('RECIPIENT_REFUSED');
  });

  test('works at the root of the host, for clients that drop the path of an address', async () => {
    const marker = newMarker();
    await clientsFor(KEY, '/').sgMail.send(aMessage(marker));
    await relay.arrives(marker);
  });
});

describe('@sendgrid/client', () => {
  test('finds that a key is valid by its scopes', async () => {
    const [{ statusCode }, body] = await client.request({ method: 'GET', url: '/v3/scopes' });
    expect([statusCode, body]).toEqual([200, { scopes: ['mail.send'] }]);
  });

  test.each([
    ['GET', '/v3/templates', 404],
    ['POST', '/v3/mail/batch', 404],
    ['GET', '/v3/mail/send', 405],
    ['DELETE', '/v3/scopes', 405],
  ] as const)('is told of %s %s that the relay does not have it: %i', async (method, url, status) => {
    const thrown = await thrownBy(client.request({ method, url }));
    expect(thrown.code).toBe(status);
    expect(thrown.response.body.errors).toMatchObject([{ field: null }]);
  });
});

/** A request as it is written. */
const post = async (
  body: string,
  headers: Record<string, string> = {},
  path = '/api/sendgrid/v3/mail/send',
) => {
  const response = await fetch(`${relay.url()}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer SG.${KEY}`, ...json, ...headers },
    body,
  });
  const text = await response.text();
  if (response.status >= 400) relay.problems.push(text);
  return {
    status: response.status,
    headers: response.headers,
    errors: text === '' ? undefined : JSON.parse(text).errors,
  };
};
const aBody = (marker: string, more: object = {}): string =>
  JSON.stringify({
    personalizations: [{ to: [{ email: 'canary-to@fabrikam.example' }] }],
    from: { email: 'noreply@contoso.example' },
    subject: `canary-subject ${marker}`,
    content: [{ type: 'text/plain', value: 'canary-body' }],
    ...more,
  });

describe('a request', () => {
  test('as SendGrid for Java writes it, to the root of the host', async () => {
    const marker = newMarker();
    const { status, headers } = await post(
      aBody(marker),
      {
        'user-agent': 'sendgrid/4.10.2;java',
        accept: 'application/json',
        'content-type': 'application/json',
      },
      '/v3/mail/send',
    );
    expect([status, headers.has('x-message-id')]).toEqual([202, true]);
    await relay.arrives(marker);
  });

  test('with a slash at its end, capitals in its path, a charset and a token from Entra is accepted', async () => {
    const marker = newMarker();
    const token = await getAppToken(relay.cloud);
    const answer = await post(
      aBody(marker),
      { authorization: `Bearer ${token}`, 'content-type': 'application/json; charset=UTF-8' },
      '/api/sendgrid/V3/Mail/Send/',
    );
    expect(answer.status).toBe(202);
    await relay.arrives(marker);
  });

  test.each<[string, number, string, Record<string, string>, string?]>([
    ['is not JSON', 400, '{"from":', {}],
    ['has a field twice', 400, '{"from":{"email":"a"},"from":{"email":"b"}}', {}],
    ['is not one object', 400, '[]', {}],
    ['is of another type', 415, 'to=canary', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['is compressed', 415, '{}', { 'content-encoding': 'gzip' }],
    ['has its key in the query', 401, '{}', { authorization: '' }, `?api_key=${KEY}`],
    ['has a user name and a password', 401, '{}', { authorization: 'Basic YXBpa2V5OmNhbmFyeQ==' }],
    ['is for a subuser', 400, '{}', { 'on-behalf-of': 'canary' }],
    ['is for a subuser and is large', 400, aBody('x'), { 'on-behalf-of': 'canary' }],
  ])('that %s gets %i in the form of SendGrid', async (_what, status, body, headers, query = '') => {
    const answer = await post(body, headers, `/api/sendgrid/v3/mail/send${query}`);
    expect(answer.status).toBe(status);
    expect(answer.errors[0]).toMatchObject({ message: expect.stringMatching(/\([A-Z_]+\)$/), help: null });
    expect(answer.errors[0]).toHaveProperty('field');
  });

  test('whose emails would be larger together than an instance can hold gets 413', async () => {
    const personalizations = Array.from({ length: 1000 }, () => ({
      to: [{ email: 'canary-to@fabrikam.example' }],
    }));
    const content = [{ type: 'text/plain', value: 'canary '.repeat(10_000) }];
    const answer = await post(aBody('large', { personalizations, content }));
    expect([answer.status, answer.errors[0].message]).toEqual([
      413,
      expect.stringContaining('REQUEST_TOO_LARGE'),
    ]);
  });
});

describe('the features of SendGrid', () => {
  const emailsOf = async (feature: string) =>
    (await relay.mailsAbout(feature)).filter(({ request }) => request.body.message.subject === feature);
  /** What an email shows of what was asked for; an email that has arrived shows the others. */
  const shows: Readonly<Record<string, object>> = {
    'Recipients: to, cc, bcc': {
      toRecipients: [
        { emailAddress: { name: 'Ann Lee', address: 'ann@fabrikam.example' } },
        { emailAddress: { address: 'bob@fabrikam.example' } },
      ],
      ccRecipients: [{ emailAddress: { address: 'cc@fabrikam.example' } }],
      bccRecipients: [{ emailAddress: { address: 'bcc@fabrikam.example' } }],
    },
    'Name of the sender': { from: { emailAddress: { name: 'Contoso Shop' } } },
    'Own sender of a personalization': { from: { emailAddress: { address: 'hr@contoso.example' } } },
    'Reply-To': { replyTo: [{ emailAddress: { name: 'Help', address: 'help@contoso.example' } }] },
    'Several Reply-To addresses': { replyTo: [{}, { emailAddress: { address: 'sales@contoso.example' } }] },
    Attachments: { attachments: [{ name: 'order.pdf', contentType: 'application/pdf' }] },
    'Inline images': { attachments: [{ name: 'logo.png', isInline: true, contentId: 'logo' }] },
    'Attachments without a file name': { attachments: [{ name: 'attachment-1.png' }] },
    'Custom headers': {
      internetMessageHeaders: expect.arrayContaining([
        { name: 'X-Order', value: '4711' },
        { name: 'X-Line', value: '2' },
      ]),
    },
    Priority: { importance: 'high' },
    Substitutions: { body: { content: 'Dear Ann' } },
  };
  const mailShows: Readonly<Record<string, object>> = {
    'Text and HTML together': { text: expect.stringContaining('Your order') },
    Invitations: { calendar: { method: 'REQUEST' } },
    Threads: { inReplyTo: '<order-1@contoso.example>', references: ['<order-1@contoso.example>'] },
  };
  const statusShows: Readonly<Record<string, object>> = {
    'Tags or categories': { tags: ['Order-confirmation', 'shop'] },
    'Metadata or custom arguments': { tags: ['order.4711', 'line.2'] },
    'Scheduled sending': { state: 'queued', sendAt: expect.any(String) },
    'Own time of a personalization': { state: 'queued', sendAt: expect.any(String) },
  };

  test.each(features.map((one) => [one.outcome, one.feature, one] as const))(
    '%s: %s',
    async (outcome, feature, { request: { method, path, headers = {}, body }, error }) => {
      const response = await fetch(`${relay.url()}/api/sendgrid${path}`, {
        method,
        headers: { authorization: `Bearer ${KEY}`, ...json, ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const isSandbox = feature === 'Sandbox or test mode';
      if (outcome === 'refused') {
        const { errors } = JSON.parse(text) as Thrown['response']['body'];
        expect([String(response.status), ...errors.map(({ field }) => field)]).toContain(error);
        expect(await emailsOf(feature)).toEqual([]);
        return;
      }
      if (method === 'GET' || isSandbox) {
        expect(response.status).toBe(200);
        expect(await emailsOf(feature)).toEqual([]);
        return;
      }
      expect(response.status, text).toBe(202);
      const id = String(response.headers.get('x-message-id'));
      const { body: status } = await relay.show(id);
      expect(status).toMatchObject(statusShows[feature] ?? { caller: 'shop' });
      if (status.sendAt !== undefined) return;
      const { personalizations } = body as { readonly personalizations: readonly object[] };
      await relay.reaches(id, 'sent');
      const mails = await eventually(async () => {
        const found = await emailsOf(feature);
        expect(found).toHaveLength(personalizations.length);
        return found;
      });
      expect(mails[0]).toMatchObject(mailShows[feature] ?? {});
      expect(mails[0]?.request.body.message).toMatchObject(shows[feature] ?? {});
    },
  );
});

const python = '/usr/bin/python3';
const hasAnymail =
  existsSync(python) && spawnSync(python, ['-c', 'import anymail, django, requests']).status === 0;

test.skipIf(!hasAnymail)(
  `django-anymail sends, with a list of its recipients and its own data${hasAnymail ? '' : ' (skipped: python3-django-anymail is not installed)'}`,
  { timeout: TOOLS_MS },
  async () => {
    const marker = newMarker();
    writeFileSync(
      join(folder, 'send.py'),
      `
import base64
from django.conf import settings
settings.configure(
    EMAIL_BACKEND="anymail.backends.sendgrid.EmailBackend",
    ANYMAIL={"SENDGRID_API_KEY": "SG.${KEY}", "SENDGRID_API_URL": "${relay.url()}/api/sendgrid/v3/"},
)
import django
django.setup()
from django.core.mail import EmailMultiAlternatives
from anymail.exceptions import AnymailAPIError
from anymail.message import attach_inline_image

message = EmailMultiAlternatives(
    subject="canary ${marker}", body="Dear {name}",
    from_email="Contoso <noreply@contoso.example>",
    to=['"Chan, Tai Man" <canary-chan@fabrikam.example>', "canary-lee@fabrikam.example"],
    reply_to=["help@contoso.example"], headers={"X-Order": 4711},
)
logo = attach_inline_image(message, base64.b64decode("iVBORw0KGgo="), subtype="png")
message.attach_alternative('<p>Dear {name} <img src="cid:%s"></p>' % logo, "text/html")
message.attach("order.txt", "canary order", "text/plain")
message.tags = ["Order confirmation"]
message.metadata = {"order": 4711}
message.track_clicks = False
message.merge_data = {
    "canary-chan@fabrikam.example": {"name": "Tai Man"}, "canary-lee@fabrikam.example": {"name": "Lee"},
}
message.esp_extra = {"merge_field_format": "{{{}}}"}
message.send()
print("sent", message.anymail_status.status)

message = EmailMultiAlternatives("canary", "x", "noreply@contoso.example", ["canary-chan@fabrikam.example"])
message.template_id = "d-4711"
try:
    message.send()
except AnymailAPIError as error:
    print("refused", error.response.status_code, error.response.json()["errors"][0]["field"])
`,
    );
    const ran = await run([python, 'send.py'], { folder });
    expect(ran, ran.output).toMatchObject({ status: 0 });
    expect(ran.output).toContain("sent {'queued'}");
    expect(ran.output).toContain('refused 400 template_id');
    const mails = await relay.arrives(marker, 2);
    const seen = mails.map((mail) => [recipientsOf(mail), mail.text?.trim()]);
    expect(seen).toEqual(
      expect.arrayContaining([
        [[{ name: 'Chan, Tai Man', address: 'canary-chan@fabrikam.example' }], 'Dear Tai Man'],
        [[{ address: 'canary-lee@fabrikam.example' }], 'Dear Lee'],
      ]),
    );
    for (const { request } of mails)
      expect(request.body.message.attachments).toMatchObject([
        { name: 'attachment-1.png', isInline: true },
        { name: 'order.txt' },
      ]);
  },
);

const PHP = 'php';
const SYMFONY = '/usr/share/php/Symfony/Component/Mailer';
const hasSymfony =
  existsSync(`${SYMFONY}/Bridge/Sendgrid/autoload.php`) &&
  spawnSync(PHP, ['--version']).status === 0 &&
  existsSync('/usr/share/php/Symfony/Component/HttpClient/autoload.php');

/** The relay behind TLS, as in Azure: Symfony knows no other. */
const startTls = async () => {
  const { tls, certificateFile } = await obtainCertificate(join(folder, 'tls'), new Date());
  const server = https.createServer({ ...tls }, (incoming, answer) => {
    const { method, url } = incoming;
    const headers = { ...incoming.headers, host: new URL(relay.url()).host };
    const forwarded = http.request(
      new URL(url ?? '/', relay.url()),
      { method: method ?? 'GET', headers },
      (response) => {
        answer.writeHead(response.statusCode ?? 500, response.headers);
        response.pipe(answer);
      },
    );
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, certificateFile, close: () => server.close() };
};

test.skipIf(!hasSymfony)(
  `the mailer of Symfony sends, and throws what is wrong${hasSymfony ? '' : ' (skipped: php-symfony-sendgrid-mailer is not installed)'}`,
  { timeout: TOOLS_MS },
  async () => {
    const marker = newMarker();
    const tls = await startTls();
    writeFileSync(
      join(folder, 'send.php'),
      `<?php
require '${SYMFONY}/autoload.php';
require '${SYMFONY}/Bridge/Sendgrid/autoload.php';
require '/usr/share/php/Symfony/Component/HttpClient/autoload.php';
use Symfony\\Component\\HttpClient\\HttpClient;
use Symfony\\Component\\Mailer\\Bridge\\Sendgrid\\Transport\\SendgridTransportFactory;
use Symfony\\Component\\Mailer\\Header\\{MetadataHeader, TagHeader};
use Symfony\\Component\\Mailer\\Transport\\Dsn;
use Symfony\\Component\\Mime\\{Address, Email};

$client = HttpClient::create(['cafile' => getenv('CA')]);
$dsn = Dsn::fromString('sendgrid+api://SG.${KEY}@localhost:${tls.port}');
$transport = (new SendgridTransportFactory(null, $client))->create($dsn);
$email = (new Email())
    ->from(new Address('noreply@contoso.example', 'Contoso'))
    ->to(new Address('canary-chan@fabrikam.example', 'Chan, Tai Man'))
    ->cc('canary-cc@fabrikam.example')
    ->replyTo('help@contoso.example')
    ->priority(Email::PRIORITY_HIGH)
    ->subject('canary ${marker}')
    ->text('canary-body')
    ->html('<p>canary-body <img src="cid:logo.png"></p>')
    ->attach('canary order', 'order.txt', 'text/plain')
    ->embed(base64_decode('iVBORw0KGgo='), 'logo.png', 'image/png');
$email->getHeaders()->add(new TagHeader('Order confirmation'));
$email->getHeaders()->add(new MetadataHeader('order', '4711'));
$email->getHeaders()->addTextHeader('X-Order', '4711');
echo 'sent ', $transport->send($email)->getMessageId(), "\\n";
$email->getHeaders()->addTextHeader('X-SMTPAPI', '{}');
try {
    $transport->send($email);
} catch (Exception $error) {
    echo 'refused ', $error->getMessage(), "\\n";
}
`,
    );
    const ran = await run([PHP, 'send.php'], {
      folder,
      environment: { CA: tls.certificateFile },
    });
    tls.close();
    expect(ran, ran.output).toMatchObject({ status: 0 });
    expect(ran.output).toMatch(/refused Unable to send an email: .*HEADER_NOT_CARRIED.*\(code 400\)/);
    const id = /^sent (\S+)$/m.exec(ran.output)?.[1] ?? ran.output;
    expect(await tagsOf(id)).toEqual(['Order-confirmation', 'order.4711']);
    const mail = await arrived(marker);
    expect(recipientsOf(mail)).toEqual([{ name: 'Chan, Tai Man', address: 'canary-chan@fabrikam.example' }]);
    expect(mail.request.body.message).toMatchObject({
      importance: 'high',
      replyTo: [{ emailAddress: { address: 'help@contoso.example' } }],
      attachments: expect.arrayContaining([
        expect.objectContaining({ name: 'order.txt' }),
        expect.objectContaining({ name: 'logo.png', contentId: 'logo.png' }),
      ]),
      internetMessageHeaders: expect.arrayContaining([{ name: 'X-Order', value: '4711' }]),
    });
  },
);

const SENDGRID_NET = '9.29.3';
const hasDotnet =
  Number.parseInt(spawnSync('dotnet', ['--version'], { encoding: 'utf8' }).stdout ?? '0', 10) >= 10;

test.skipIf(!hasDotnet)(
  `SendGrid for .NET sends its first documented example and several emails${hasDotnet ? '' : ' (skipped: .NET 10 is not installed)'}`,
  { timeout: TOOLS_MS },
  async ({ skip }) => {
    const marker = newMarker();
    const home = join(folder, 'dotnet');
    mkdirSync(home);
    writeFileSync(
      join(home, 'send.csproj'),
      `<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework>
<ImplicitUsings>enable</ImplicitUsings><NuGetAudit>false</NuGetAudit></PropertyGroup><ItemGroup>
<PackageReference Include="SendGrid" Version="${SENDGRID_NET}" /></ItemGroup></Project>`,
    );
    writeFileSync(
      join(home, 'Program.cs'),
      `using SendGrid;
using SendGrid.Helpers.Mail;

var client = new SendGridClient("SG.${KEY}", "${relay.url()}/api/sendgrid");
var from = new EmailAddress("noreply@contoso.example", "Example User");
var subject = "Sending with SendGrid is Fun ${marker}";
var to = new EmailAddress("canary-test@fabrikam.example", "Example User");
var msg = MailHelper.CreateSingleEmail(from, to, subject, "and easy to do anywhere, even with C#",
    "<strong>and easy to do anywhere, even with C#</strong>");
msg.AddAttachment("order.txt", Convert.ToBase64String("canary order"u8));
msg.AddHeader("X-Order", "4711");
msg.SetClickTracking(false, false);
var response = await client.SendEmailAsync(msg);
Console.WriteLine($"sent {(int)response.StatusCode} {response.Headers.GetValues("X-Message-Id").First()}");

var several = MailHelper.CreateMultipleEmailsToMultipleRecipients(from,
    [new EmailAddress("canary-1@fabrikam.example"), new EmailAddress("canary-2@fabrikam.example")],
    ["First ${marker}", "Second ${marker}"], "Dear -name-", "<p>Dear -name-</p>",
    [new() { ["-name-"] = "Ann" }, new() { ["-name-"] = "Bob" }]);
response = await client.SendEmailAsync(several);
Console.WriteLine($"several {(int)response.StatusCode}");

msg.SetTemplateId("d-4711");
response = await client.SendEmailAsync(msg);
Console.WriteLine($"refused {(int)response.StatusCode} {await response.Body.ReadAsStringAsync()}");
`,
    );
    const ran = await run(['dotnet', 'run'], {
      folder: home,
      environment: { HOME: process.env.HOME ?? home },
    });
    if (/NU1101|NU1301|Unable to load the service index/i.test(ran.output))
      skip(`SendGrid ${SENDGRID_NET} cannot be downloaded`);
    expect(ran, ran.output).toMatchObject({ status: 0 });
    expect(ran.output).toMatch(/^sent 202 [0-9a-f-]{36}$/m);
    expect(ran.output).toMatch(/^several 202$/m);
    expect(ran.output).toMatch(/^refused 400 .*"field":"template_id"/m);
    const mails = await relay.arrives(marker, 3);
    const bySubject = Object.fromEntries(mails.map((mail) => [mail.request.body.message.subject, mail]));
    expect(bySubject[`First ${marker}`]?.text?.trim()).toBe('Dear Ann');
    expect(bySubject[`Second ${marker}`]?.request.body.message.body?.content).toContain('<p>Dear Bob</p>');
    expect(bySubject[`Sending with SendGrid is Fun ${marker}`]?.request.body.message).toMatchObject({
      attachments: [{ name: 'order.txt' }],
      internetMessageHeaders: expect.arrayContaining([{ name: 'X-Order', value: '4711' }]),
    });
  },
);

test('nothing of an email, no address and no key is in the log or in an error', () => expectNoCanary(relay));
