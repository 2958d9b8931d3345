import { type Base64Text, decodedLength } from '../mail/base64-text.ts';
import type { Mail } from '../mail/mail-schema.ts';

/** Where the bytes of a file are: in the email itself, or in a blob of an application, in the version that was seen. */
type FileSource =
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

/** What is known of a file once it has been found. */
export type FoundFile = Pick<OutgoingFile, 'bytes' | 'source'>;

/** A file whose bytes are in the email. */
export const inEmail = (content: Base64Text): FoundFile => ({
  bytes: decodedLength(content),
  source: { kind: 'base64', content },
});

const notFound = (): never => {
  throw new Error('a blob must be found before the email can be planned');
};

/** An email with its files; `found` gives those that it names. */
export const outgoing = (
  { attachments, ...mail }: Mail,
  found: (blob: string) => FoundFile = notFound,
): OutgoingMail => ({
  ...mail,
  files: attachments.map((file) => {
    const { filename, contentType, cid } = file;
    const where = 'blob' in file ? found(file.blob) : inEmail(file.content);
    return { filename, contentType, ...(cid === undefined ? {} : { cid }), ...where };
  }),
});
