import { randomUUID } from 'node:crypto';
import type {
  CapturedMail,
  GraphFileAttachment,
  GraphMessage,
  GraphRecipient,
} from '../../../src/lib/inbox/captured-mail.ts';

export const person = (address: string, name?: string): GraphRecipient => ({
  emailAddress: name === undefined ? { address } : { address, name },
});

export const attached = (
  name: string,
  content: Buffer,
  rest: Partial<GraphFileAttachment> = {},
): GraphFileAttachment => ({
  '@odata.type': '#microsoft.graph.fileAttachment',
  name,
  contentType: 'application/octet-stream',
  contentBytes: content.toString('base64'),
  ...rest,
});

type Overrides = Partial<Omit<CapturedMail, 'request' | 'graphRequestId'>> & {
  readonly message?: GraphMessage;
  readonly saveToSentItems?: boolean;
};

export function aCapturedMail({
  id = randomUUID(),
  acceptedAt = '2026-03-02T01:30:00.000Z',
  mailbox = 'noreply@contoso.example',
  message = {},
  saveToSentItems = true,
  ...rest
}: Overrides = {}): CapturedMail {
  return {
    id,
    acceptedAt,
    mailbox,
    graphRequestId: randomUUID(),
    ...rest,
    request: {
      method: 'POST',
      path: `/v1.0/users/${encodeURIComponent(mailbox)}/sendMail`,
      headers: { 'content-type': 'application/json', 'client-request-id': randomUUID() },
      body: {
        message: {
          subject: 'Hello',
          body: { contentType: 'text', content: 'Hello there.' },
          toRecipients: [person('ada@contoso.example', 'Ada Byron')],
          ...message,
        },
        saveToSentItems,
      },
    },
  };
}

/** One page that says "Pay slip": small, and real enough for every viewer. */
export function aPdf(): Buffer {
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 297] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    '<< /Length 44 >>\nstream\nBT /F1 28 Tf 60 200 Td (Pay slip 2026-02) Tj ET\nendstream',
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  let text = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const offset = text.length;
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, '0')} 00000 n \n`;
  });
  const table = text.length;
  text += `xref\n0 6\n0000000000 65535 f \n${offsets.join('')}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n${table}\n%%EOF\n`;
  return Buffer.from(text, 'latin1');
}

/** A red pixel. */
export const A_PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==',
  'base64',
);

/** A meeting in Berlin, as Outlook writes it. */
export const anInvitation = (lines: readonly string[] = [], method = 'REQUEST'): string =>
  [
    'BEGIN:VCALENDAR',
    `METHOD:${method}`,
    'BEGIN:VTIMEZONE',
    'TZID:W. Europe Standard Time',
    'BEGIN:STANDARD',
    'DTSTART:16010101T030000',
    'TZOFFSETFROM:+0200',
    'TZOFFSETTO:+0100',
    'RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10',
    'END:STANDARD',
    'BEGIN:DAYLIGHT',
    'DTSTART:16010101T020000',
    'TZOFFSETFROM:+0100',
    'TZOFFSETTO:+0200',
    'RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3',
    'END:DAYLIGHT',
    'END:VTIMEZONE',
    'BEGIN:VEVENT',
    'UID:4711@contoso.example',
    ...(lines.length > 0
      ? lines
      : [
          'SUMMARY:Quarterly review\\, 薪資',
          'DTSTART;TZID=W. Europe Standard Time:20260702T100000',
          'DTEND;TZID=W. Europe Standard Time:20260702T113000',
          'LOCATION:Room 4',
          'ORGANIZER;CN="Byron, Ada":mailto:ada@contoso.example',
          'ATTENDEE;CN=Ming;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION:mailto:ming@cont',
          ' oso.example',
          'ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=ACCEPTED:MAILTO:mei@contoso.example',
        ]),
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n');
