import { createHash } from 'node:crypto';
import { aMail } from '../support/a-mail.ts';
import type { PlannedMail } from './plan.ts';

type WrittenFile = { readonly filename: string; readonly content?: string; readonly blob?: string };

/** A mail as its application wrote it. */
export type WrittenMail = {
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  readonly to: string;
  readonly attachments: readonly WrittenFile[];
  readonly sendAt?: string;
};

/** Fits a message of 64 KiB as an application writes it, and not in the relay's own envelope. */
const LARGE_TEXT = 'x'.repeat(50_000);
const HTML = '<p>Your <b>pay slip</b> is ready.</p>';
const SMALL_FILE = 'cGF5IHNsaXA=';

/** The blob that mails with a large file name. */
export const LARGE_BLOB = 'large.bin';
/** Two ranges of an upload. No two parts of it are the same. */
export const LARGE_FILE: Buffer = Buffer.from(
  Uint32Array.from({ length: 1_000_000 }, (_, index) => Math.imul(index, 2_654_435_761)).buffer,
);

const LARGE_FILES: Readonly<Record<NonNullable<PlannedMail['largeFile']>, WrittenFile>> = {
  'in a blob': { filename: 'large.bin', blob: LARGE_BLOB },
  'in the email': { filename: 'large.bin', content: LARGE_FILE.toString('base64') },
};

const filesOf = ({ number, files, largeFile }: PlannedMail): readonly WrittenFile[] => [
  ...Array.from({ length: files }, (_, file) => ({ filename: `${number}-${file}.txt`, content: SMALL_FILE })),
  ...(largeFile === undefined ? [] : [LARGE_FILES[largeFile]]),
];

/** The mail that is given to the relay at this moment. */
export const contentOf = (plan: PlannedMail, now: Date): WrittenMail =>
  aMail({
    from: plan.mailbox,
    subject: `Mail ${plan.number}`,
    onUnknown: plan.policy,
    attachments: filesOf(plan),
    ...(plan.large ? { text: LARGE_TEXT } : {}),
    ...(plan.asMime ? { html: HTML } : {}),
    ...(plan.key === undefined ? {} : { idempotencyKey: plan.key }),
    ...(plan.laterMs === undefined ? {} : { sendAt: new Date(now.getTime() + plan.laterMs).toISOString() }),
  }) as WrittenMail;

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** What of a mail is compared with what arrived; texts end with a line end in MIME. */
export const toComparable = (mail: {
  readonly text: string | undefined;
  readonly html: string | undefined;
  readonly to: string | undefined;
  readonly files: readonly (readonly [name: string, bytes: Buffer])[];
}): string =>
  JSON.stringify([
    mail.text?.trimEnd(),
    mail.html?.trimEnd(),
    mail.to,
    mail.files.map(([name, bytes]) => [name, hashOf(bytes)]),
  ]);

/** The same of a mail as it was written. */
export const comparableOf = ({ text, html, to, attachments }: WrittenMail): string =>
  toComparable({
    text,
    html,
    to,
    files: attachments.map(({ filename, content }) => [
      filename,
      content === undefined ? LARGE_FILE : Buffer.from(content, 'base64'),
    ]),
  });
