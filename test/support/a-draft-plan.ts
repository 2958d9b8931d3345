import { readMail } from '../../src/lib/mail/read-mail.ts';
import { toMessage } from '../../src/lib/sending/json-message.ts';
import { type OutgoingFile, outgoing } from '../../src/lib/sending/outgoing-mail.ts';
import type { DraftPlan } from '../../src/lib/sending/send-plan.ts';
import { aMail } from './a-mail.ts';

export const DRAFT_MAILBOX = 'noreply@contoso.example';

/** The plan of an email that goes as a draft, with these files. */
export const aDraftPlan = (
  mailId: string,
  files: readonly OutgoingFile[] = [],
  message: Partial<DraftPlan['message']> = {},
): DraftPlan => ({
  kind: 'draft',
  mailbox: DRAFT_MAILBOX,
  reason: 'A test wants it.',
  warnings: [],
  message: {
    contentType: 'application/json',
    body: Buffer.from(
      JSON.stringify(toMessage(mailId, { address: DRAFT_MAILBOX }, outgoing(readMail(aMail())))),
    ),
    ...message,
  },
  files,
});

/** A file in the email. */
export const aFileOf = (content: Buffer, filename = 'a.bin'): OutgoingFile => ({
  filename,
  contentType: 'application/octet-stream',
  bytes: content.length,
  source: { kind: 'base64', content: content.toString('base64') },
});

/** A file in a blob. */
export const aBlobOf = (bytes: number, name: string, etag = '"1"'): OutgoingFile => ({
  filename: name,
  contentType: 'application/octet-stream',
  bytes,
  source: { kind: 'blob', name, etag },
});
