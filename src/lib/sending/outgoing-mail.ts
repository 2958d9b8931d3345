import { type Base64Text, decodedLength } from '../mail/base64-text.ts';
import type { Mail } from '../mail/mail-schema.ts';

/** Where the bytes of a file are: in the email itself, or in a blob of an application, in the version that was seen. */
export type FileSource =
  | { readonly kind: 'base64'; readonly content: Base64Text }
  | { readonly kind: 'blob'; readonly name: string; readonly etag: string };

/** A file of an email whose size is known. */
export type OutgoingFile = {
  readonly filename: string;
  readonly contentType: string;
  /** Shown in the html where this refers to it. */
  readonly cid?: string | undefined;
  readonly bytes: number;
  readonly source: FileSource;
};

/** An email with everything known that a plan depends on. */
export type OutgoingMail = Omit<Mail, 'attachments'> & { readonly files: readonly OutgoingFile[] };

/** An email whose files are all in it. */
export const outgoing = ({ attachments, ...mail }: Mail): OutgoingMail => ({
  ...mail,
  files: attachments.map(({ content, ...file }) => ({
    ...file,
    bytes: decodedLength(content),
    source: { kind: 'base64', content },
  })),
});
