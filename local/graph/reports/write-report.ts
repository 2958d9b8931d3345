import type { CapturedMail } from '../../../src/lib/inbox/captured-mail.ts';
import type { ReportShape } from './report-shapes.ts';

type Header = { readonly name: string; readonly value: string };

/** A report as it is in the mailbox of the sender: what Graph shows of it, and its MIME. */
export type WrittenReport = {
  readonly itemClass: string;
  readonly subject: string;
  readonly from: string;
  /** Whom it is about; of an automatic reply, who receives it. */
  readonly toAddresses: readonly string[];
  readonly headers: readonly Header[];
  readonly html: string;
  readonly mime: string;
};

export type ReportAbout = {
  readonly mail: CapturedMail;
  readonly recipients: readonly string[];
  /** Of the tenant of the sender. */
  readonly domain: string;
  readonly at: Date;
  /** Part of the Message-ID of the report. */
  readonly id: string;
};

const FROM: Readonly<Record<ReportShape['writer'], (about: ReportAbout) => string>> = {
  exchange: ({ domain }) => `MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@${domain}`,
  postfix: () => 'MAILER-DAEMON@mx.fabrikam.example',
  sendmail: () => 'MAILER-DAEMON@mail.fabrikam.example',
  ses: () => 'MAILER-DAEMON@eu-west-1.mail.example',
  'out-of-office': ({ recipients }) => recipients[0] ?? '',
  forger: () => 'postmaster@forger.example',
};

const encoded = (text: string): string =>
  /^[ -~]*$/.test(text) ? text : `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;

const written = (headers: readonly Header[]): string =>
  headers.map(({ name, value }) => `${name}: ${value}\r\n`).join('');

/** Writes what a mail server, or a person who is away, sends back. */
export const writeReport = (shape: ReportShape, about: ReportAbout): WrittenReport => {
  const { mail, at, domain } = about;
  const from = FROM[shape.writer](about);
  const messageId = mail.internetMessageId ?? '';
  const isReport = shape.writer !== 'out-of-office';
  const subject = shape.subject.endsWith(' ')
    ? `${shape.subject}${mail.request.body.message.subject ?? ''}`
    : shape.subject;
  const boundary = `report-${about.id}`;
  const headers: readonly Header[] = [
    ...(isReport ? [{ name: 'Return-Path', value: '<>' }] : []),
    { name: 'From', value: `<${from}>` },
    { name: 'To', value: `<${mail.mailbox}>` },
    { name: 'Date', value: at.toUTCString().replace('GMT', '+0000') },
    { name: 'Subject', value: encoded(subject) },
    { name: 'Message-ID', value: `<${about.id}@${isReport ? 'reports' : 'people'}.${domain}>` },
    ...(shape.isReply
      ? [
          { name: 'In-Reply-To', value: messageId },
          { name: 'References', value: messageId },
        ]
      : []),
    { name: 'Auto-Submitted', value: 'auto-replied' },
    ...(shape.writer === 'exchange' && shape.action === 'failed'
      ? [{ name: 'X-MS-Exchange-Message-Is-Ndr', value: '' }]
      : []),
    { name: 'MIME-Version', value: '1.0' },
    {
      name: 'Content-Type',
      value: isReport
        ? `multipart/report; report-type=delivery-status; boundary="${boundary}"`
        : 'text/plain; charset=utf-8',
    },
  ];
  const reported = recipientsOf(shape, about);
  const text = shape.text.replace('{}', reported.join(', '));
  return {
    itemClass: shape.itemClass,
    subject,
    from,
    toAddresses: isReport ? reported : [mail.mailbox],
    headers,
    html: `<html><body><p>${text}</p><p>${isReport ? shape.said : ''}</p></body></html>`,
    mime: isReport
      ? `${written(headers)}\r\n${toParts(shape, about, { text, reported, boundary })}`
      : `${written(headers)}\r\n${text}\r\n`,
  };
};

/** A forger names someone whom the email did not go to. */
const recipientsOf = ({ writer }: ReportShape, { recipients, domain }: ReportAbout): readonly string[] =>
  writer === 'forger' ? [`director@${domain}`] : recipients;

const toParts = (
  shape: ReportShape,
  about: ReportAbout,
  { text, reported, boundary }: { text: string; reported: readonly string[]; boundary: string },
): string => {
  const returned = {
    nothing: [],
    headers: [['text/rfc822-headers', returnedHeaders(about.mail)]],
    message: [['message/rfc822', `${returnedHeaders(about.mail)}\r\nThe email as it was.\r\n`]],
  } as const satisfies Record<ReportShape['returns'], readonly (readonly [string, string])[]>;
  const parts: readonly (readonly [type: string, content: string])[] = [
    [
      'text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64',
      `${Buffer.from(`${text}\r\n\r\n${shape.said}\r\n`).toString('base64').replaceAll(/.{76}/g, '$&\r\n')}\r\n`,
    ],
    ['message/delivery-status', toFields(shape, about, reported)],
    ...returned[shape.returns],
  ];
  return `${parts.map(([type, content]) => `--${boundary}\r\nContent-Type: ${type}\r\n\r\n${content}`).join('\r\n')}\r\n--${boundary}--\r\n`;
};

const toFields = (
  { action, code, said, writer }: ReportShape,
  { domain, at }: ReportAbout,
  reported: readonly string[],
): string =>
  [
    `Reporting-MTA: dns; ${writer === 'exchange' ? `mail.protection.${domain}` : 'mx.fabrikam.example'}\r\nArrival-Date: ${at.toUTCString()}\r\n`,
    ...reported.map(
      (address) =>
        `Final-Recipient: rfc822; ${address}\r\nAction: ${action}\r\nStatus: ${code}\r\nDiagnostic-Code: smtp;\r\n ${said}\r\n`,
    ),
  ].join('\r\n');

/** The headers of the email that come back: all that begin with x- survive. */
const returnedHeaders = ({ internetMessageId = '', headers = [], request, mailbox }: CapturedMail): string =>
  written([
    { name: 'Received', value: 'from mail.contoso.example by mx.fabrikam.example with ESMTPS' },
    { name: 'From', value: `<${mailbox}>` },
    { name: 'Subject', value: encoded(request.body.message.subject ?? '') },
    { name: 'Message-ID', value: internetMessageId },
    ...[...headers, ...(request.body.message.internetMessageHeaders ?? [])].filter(({ name }) =>
      /^x-/i.test(name),
    ),
  ]);
