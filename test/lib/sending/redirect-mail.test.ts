import fc from 'fast-check';
import PostalMime, { type Email } from 'postal-mime';
import { describe, expect, test } from 'vitest';
import type { Mail } from '../../../src/lib/mail/mail-schema.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { composeMime } from '../../../src/lib/sending/compose-mime.ts';
import { outgoing } from '../../../src/lib/sending/outgoing-mail.ts';
import { redirectMail } from '../../../src/lib/sending/redirect-mail.ts';
import { planSend } from '../../../src/lib/sending/send-plan.ts';
import { aMail } from '../../support/a-mail.ts';
import { ACCEPTED_AT, STANDARD } from '../../support/a-plan.ts';
import { anInvitation } from '../../support/an-invitation.ts';
import { anyMail, asText, tryToRead } from './any-mail.ts';

const ID = '01a2055c-e268-762b-8556-1836e3fff5b7';
const SENDER = { name: 'Contoso', address: 'noreply@contoso.example' };
const TESTER = { name: 'Tests', address: 'test-inbox@contoso.example' };

const redirected = (mail: Mail) => redirectMail(outgoing(mail), SENDER, TESTER);

type Sent = {
  readonly kind: string;
  /** Everything that Exchange is given, decoded. */
  readonly everything: string;
  readonly recipients: readonly (string | undefined)[];
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly text: string | undefined;
  readonly html: string | undefined;
  readonly email: Email | undefined;
};

const recipientsIn = ({ to = [], cc = [], bcc = [], replyTo = [] }: Email) =>
  [...to, ...cc, ...bcc, ...replyTo].map(({ address }) => address);

const contentsOf = ({ attachments }: Email): string =>
  attachments.map(({ content }) => Buffer.from(content as Uint8Array).toString()).join('\n');

const readMime = async (mime: Buffer): Promise<Sent> => {
  const email = await PostalMime.parse(mime, { forceRfc822Attachments: true });
  return {
    kind: 'mime',
    everything: [mime.toString(), email.text, email.html, contentsOf(email)].join('\n'),
    recipients: recipientsIn(email),
    headers: email.headers.map(({ key, value }) => ({ name: key, value })),
    text: email.text,
    html: email.html,
    email,
  };
};

/** The redirected email as Exchange receives it, read by a library that did not write it. */
const send = async (mail: Mail): Promise<Sent> => {
  const plan = await planSend(ID, SENDER, redirected(mail), STANDARD, ACCEPTED_AT);
  if (plan.kind === 'draft') throw new TypeError('expected one request');
  if (plan.kind === 'mime') return readMime(Buffer.from(plan.body.toString(), 'base64'));
  const { message } = JSON.parse(plan.body.toString());
  const addresses = (people: { emailAddress: { address: string } }[] = []) =>
    people.map(({ emailAddress }) => emailAddress.address);
  const { contentType, content } = message.body;
  return {
    kind: 'json',
    everything: JSON.stringify(message),
    recipients: [message.toRecipients, message.ccRecipients, message.bccRecipients, message.replyTo].flatMap(
      addresses,
    ),
    headers: message.internetMessageHeaders ?? [],
    text: contentType === 'text' ? content : undefined,
    html: contentType === 'html' ? content : undefined,
    email: undefined,
  };
};

const headerOf = ({ headers }: Sent, name: string) =>
  headers.find((header) => header.name.toLowerCase() === name)?.value;

/** What says whom the email was for, and the texts of the email itself. */
const SAYS_SO = /^(?:x-original-(?:to|cc|reply-to)|subject)$/i;

const person = (kind: string) =>
  fc
    .integer({ min: 1, max: 99 })
    .map((number) => ({ name: `${kind} ${number}`, address: `${kind}-${number}@${kind}.example` }));
const some = (kind: string, minLength = 0) => fc.array(person(kind), { minLength, maxLength: 4 });
const header = fc.tuple(
  fc.constantFrom(
    'x-order',
    'X-Reply-To',
    'List-Unsubscribe',
    'List-Post',
    'Mail-Followup-To',
    'X-Errors-To',
    'X-Original-To',
    'Comments',
  ),
  fc.constantFrom(
    '42',
    '<mailto:to-1@to.example>',
    'BCC-1@bcc.example',
    'reply-2@reply.example, cc-3@cc.example',
  ),
);
const attendees = (addresses: readonly string[]) =>
  anInvitation({
    ORGANIZER: `mailto:${addresses[0]}`,
    ATTENDEE: ['', ...addresses]
      .join('\r\nATTENDEE;RSVP=TRUE;CN="A:B;C":MAILTO:')
      .slice(2)
      .replace(/^ATTENDEE[^:]*"A:B;C":/, ''),
  });

const anyAddressed = fc
  .record({
    content: anyMail(ID),
    to: some('to'),
    cc: some('cc'),
    bcc: some('bcc', 1),
    replyTo: some('reply'),
    headers: fc.array(header, { maxLength: 6 }).map((pairs) => Object.fromEntries(pairs)),
    body: fc.constantFrom('text', 'html', 'both'),
    isInvitation: fc.boolean(),
  })
  .map(({ content, body, isInvitation, ...more }) => {
    const mail = tryToRead(content);
    if (mail === undefined) return undefined;
    const { text = 'a', html, attachments, ...rest } = mail;
    const people = [...more.to, ...more.cc, ...more.bcc].map(({ address }) => address);
    return readMail({
      ...more,
      subject: rest.subject,
      ...(body === 'html' ? {} : { text }),
      ...(body === 'text' ? {} : { html }),
      attachments: attachments.filter((file) => body !== 'text' || file.cid === undefined),
      ...(isInvitation ? { calendar: { method: 'REQUEST', ics: attendees(people) } } : {}),
    });
  });

const originalsOf = ({ to, cc, bcc, replyTo }: Mail) => ({
  all: [...to, ...cc, ...bcc, ...replyTo].map(({ address }) => address),
  hidden: bcc.map(({ address }) => address),
});

const expectNobodyElse = (sent: Sent, mail: Mail): void => {
  const { all, hidden } = originalsOf(mail);
  expect(sent.recipients).toEqual([TESTER.address]);
  for (const { name, value } of sent.headers)
    if (!SAYS_SO.test(name)) for (const address of all) expect(value.toLowerCase()).not.toContain(address);
  const everything = sent.everything.toLowerCase();
  for (const address of hidden) expect(everything).not.toContain(address);
};

test('whatever the email, only the address of the redirection is in what programs act on, and a Bcc address is nowhere', async () => {
  const ways = new Set<string>();
  await fc.assert(
    fc.asyncProperty(anyAddressed, async (mail) => {
      if (mail === undefined) return;
      const sent = await send(mail);
      ways.add(sent.kind);
      expectNobodyElse(sent, mail);
      const note = `${mail.bcc.length} in Bcc`;
      for (const body of [sent.text, sent.html].filter((one) => one !== undefined))
        expect(body).toContain(note);
      for (const { address } of [...mail.to, ...mail.cc]) expect(sent.everything).toContain(address);
      if (mail.calendar !== undefined) {
        const ics = contentsOf(sent.email!);
        for (const address of originalsOf(mail).all)
          expect(ics.replaceAll('\r\n ', '')).not.toContain(address);
      }
    }),
    { numRuns: 200 },
  );
  expect(ways).toEqual(new Set(['json', 'mime']));
});

test('an email that goes as JSON still does, with as many headers as Graph takes', async () => {
  const headers = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-own-${n}`, 'a']));
  const written = async (count: number) => {
    const sent = await send(
      readMail(aMail({ cc: 'lee@fabrikam.example', bcc: 'wong@fabrikam.example', headers: headers(count) })),
    );
    return [
      sent.kind,
      ...sent.headers.map(({ name }) => name).filter((name) => name.startsWith('x-original')),
    ];
  };
  expect(await written(0)).toEqual(['json', 'x-original-to', 'x-original-cc', 'x-original-bcc-count']);
  expect(await written(3)).toEqual(['json', 'x-original-to', 'x-original-cc']);
  expect(await written(5)).toEqual(['json']);
});

test('receipts go to the sender, who is not one of the recipients', async () => {
  const sent = await send(readMail(aMail({ html: '<p>a</p>', readReceipt: true, deliveryReceipt: true })));
  expect([headerOf(sent, 'disposition-notification-to'), headerOf(sent, 'return-receipt-to')]).toEqual([
    SENDER.address,
    SENDER.address,
  ]);
});

test('what connects an email with others stays', async () => {
  const sent = await send(readMail(aMail({ inReplyTo: 'a@to.example', references: ['a@to.example'] })));
  expect([sent.email?.inReplyTo, sent.email?.references]).toEqual(['<a@to.example>', '<a@to.example>']);
});

describe('the line at the top of the body', () => {
  const all = {
    to: ['Chan <chan@to.example>', 'lee@to.example'],
    cc: 'wong@cc.example',
    bcc: ['a@bcc.example', 'b@bcc.example'],
    replyTo: 'desk@reply.example',
  };
  const LINE =
    'Redirected by the relay: was to chan@to.example, lee@to.example; Cc wong@cc.example; 2 in Bcc; replies to desk@reply.example.';

  test('names To and Cc, and says how many were in Bcc', async () => {
    expect((await send(readMail(aMail(all)))).text).toBe(`${LINE}\r\n\r\nYour pay slip is ready.`);
    const { text: _, ...noText } = aMail({ ...all, html: '<p>a</p>' });
    expect((await send(readMail(noText))).html).toContain(`${LINE}</div><p>a</p>`);
  });

  test('says that nobody was in To where an email has Bcc alone', async () => {
    const sent = await send(readMail(aMail({ to: [], bcc: 'a@bcc.example' })));
    expect(sent.text).toMatch(/^Redirected by the relay: was 1 in Bcc\.\r\n/);
    expect(headerOf(sent, 'x-original-to')).toBeUndefined();
  });

  test('of very many recipients names as many as a reader looks at, and counts the others', async () => {
    const to = Array.from({ length: 500 }, (_, n) => `someone-${n}@to.example`);
    const sent = await send(readMail(aMail({ to })));
    const named = (text = '') => text.match(/@to\.example/g)?.length ?? 0;
    const more = (text = '') => Number(/ and (\d+) more/.exec(text)?.[1]);
    for (const text of [sent.text?.split('\r\n')[0], headerOf(sent, 'x-original-to')]) {
      expect(named(text)).toBeGreaterThan(20);
      expect(named(text) + more(text)).toBe(500);
    }
    expect(headerOf(sent, 'x-original-to')?.length).toBeLessThan(998 - 'x-original-to: '.length);
  });

  test('in a header has ASCII alone: a domain in its ASCII form, and what has none is counted', async () => {
    const sent = await send(readMail(aMail({ to: ['a@薪資.example', '陳@contoso.example'] })));
    expect(headerOf(sent, 'x-original-to')).toBe('a@xn--921ar9l.example and 1 more');
    expect(sent.text).toContain('was to a@薪資.example, 陳@contoso.example.');
  });

  test('shows an address in html as it is, and is not html itself', async () => {
    const sent = await send(readMail({ to: "a&b'c@to.example", subject: 'a', html: '<p>a</p>' }));
    expect(sent.html).toContain("was to a&amp;b'c@to.example.</div>");
  });

  const NOTE = '<div style="[^"]*">Redirected by the relay: [^<]*</div>';
  test.each([
    ['<p>a</p>', '^@<p>a</p>$'],
    ['', '^@$'],
    [
      '<!doctype html>\n<html><head><title>a</title></head><BODY class="a>b"><p>a</p></BODY></html>',
      '<BODY class="a>b">@<p>',
    ],
    ['<!doctype html><html><head><style>p{}</style></head><p>a</p></html>', '</head>@<p>'],
    ['<!DOCTYPE html><p>a</p>', '^<!DOCTYPE html>@<p>'],
    ['<!-- <body> --><html><body><p>a</p>', '<html><body>@<p>'],
    ['<script>"<body>"</script><body><p>', '</script><body>@<p>'],
    ['<div title="<body>">a</div>', '^@<div title="<body>">'],
    ['<body>a<body>b', '^<body>@a<body>b$'],
    ['<p>a</p><bo', '^@<p>a</p><bo$'],
  ])('begins the content of %s', async (html, expected) => {
    const sent = await send(readMail({ to: 'chan@to.example', subject: 'a', html }));
    const pattern = expected
      .split('@')
      .map((part) => part.replaceAll(/[[\]{}()*+?.\\|]/g, '\\$&'))
      .join(NOTE);
    expect(sent.html).toMatch(new RegExp(pattern));
  });
});

describe('a calendar that is a file', () => {
  const ics = anInvitation({ ORGANIZER: 'mailto:ceo@to.example', ATTENDEE: 'mailto:chan@to.example' });
  const filesOf = (content: string | Buffer, filename = 'invite.ics') =>
    redirected(
      readMail(
        aMail({ attachments: [{ filename, content: Buffer.from(content as string).toString('base64') }] }),
      ),
    ).files.map(({ source, ...file }) => ({
      ...file,
      content:
        source.kind === 'base64' ? Buffer.from(String(source.content), 'base64').toString() : source.name,
    }));

  test('names nobody but the sender and the address of the redirection', () => {
    const [file] = filesOf(ics);
    expect(file).toMatchObject({ filename: 'invite.ics', contentType: 'text/calendar' });
    expect(file?.content).toContain(
      'ORGANIZER:mailto:noreply@contoso.example\r\nATTENDEE:mailto:test-inbox@contoso.example',
    );
    expect(file?.content).not.toContain('to.example');
    expect(file?.bytes).toBe(Buffer.byteLength(file?.content ?? ''));
  });

  test.each([
    ['in UTF-16', Buffer.from(`\ufeff${ics}`, 'utf16le')],
    ['in a form of its own', 'a calendar'],
  ])('%s becomes a file that no mail client opens as an invitation', (_, content) => {
    expect(filesOf(content)).toMatchObject([
      { filename: 'invite.ics.txt', contentType: 'application/octet-stream' },
    ]);
  });

  test('in a blob too, whose content the relay does not read', () => {
    const blob = {
      filename: 'invite.ics',
      contentType: 'text/calendar',
      bytes: 4_000_000,
      source: { kind: 'blob', name: 'a.ics', etag: '1' },
    } as const;
    const mail = { ...outgoing(readMail(aMail())), files: [blob] };
    expect(redirectMail(mail, SENDER, TESTER).files).toEqual([
      { ...blob, filename: 'invite.ics.txt', contentType: 'application/octet-stream' },
    ]);
  });

  test.each(['invite.icalendar', 'holidays.HOL', 'a.vcs', 'a.ical', 'a.ifb'])(
    'is known by its name: %s',
    (name) => {
      expect(filesOf('a calendar', name)).toMatchObject([{ filename: `${name}.txt` }]);
    },
  );

  test('and every other file stays as it is', () => {
    expect(filesOf(ics, 'invite.pdf')[0]?.content).toBe(ics);
  });
});

test('the text of the email is otherwise as it was', async () => {
  await fc.assert(
    fc.asyncProperty(anyAddressed, async (mail) => {
      if (mail?.text === undefined) return;
      const { text = '' } = await send(mail);
      expect(asText(text.slice(text.indexOf('\n') + 1))?.trimStart()).toBe(asText(mail.text)?.trimStart());
    }),
    { numRuns: 50 },
  );
});

test('an email that is not redirected has none of this', async () => {
  const mail = readMail(aMail({ cc: 'lee@cc.example', html: '<p>a</p>' }));
  const mime = await composeMime(ID, SENDER, outgoing(mail), [], ACCEPTED_AT);
  expect(mime.toString()).not.toMatch(/redirected|x-original/i);
});
