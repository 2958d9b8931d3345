import { defined } from '../defined.ts';
import { AppError } from '../errors.ts';
import type { Address } from '../mail/address.ts';
import { type Base64Text, decodeRange } from '../mail/base64-text.ts';
import { LongBase64 } from '../mail/long-base64.ts';
import { sketchMail } from '../mail/read-mail.ts';
import type { Ports } from '../ports.ts';
import { findHeld } from './find-held.ts';

/** What an operator looks for an email in Sent Items by. It is shown when asked for, and written nowhere. */
export type HeldContent = {
  readonly subject?: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
};

/** Header fields are at the start; nobody needs more of a message to find it. */
const MIME_START = 64 * 1024;
const LONGEST_SHOWN = 1000;
const MOST_SHOWN = 500;

/**
 * Subject and recipients of a held email, from its record, whatever is wrong with the email. Throws MAIL_NOT_FOUND, MAIL_NOT_HELD,
 * PAYLOAD_MISSING.
 */
export const readHeldContent = async (
  { ledger, records }: Pick<Ports, 'ledger' | 'records'>,
  mailId: string,
): Promise<HeldContent> => {
  const { row } = await findHeld({ ledger }, mailId);
  const { original } = (await records.read(row.fate.record)) ?? {};
  if (original === undefined) throw new AppError('PAYLOAD_MISSING');
  return contentOf(original);
};

const contentOf = async (original: unknown): Promise<HeldContent> => {
  const fields = (typeof original === 'object' ? original : undefined) ?? {};
  const { mime, subject, to, cc, bcc } = fields as Readonly<Record<string, unknown>>;
  if (typeof mime === 'string' || mime instanceof LongBase64) return ofMime(mime);
  const read = sketchMail(original);
  if (read !== undefined)
    return { subject: read.subject, to: shown(read.to), cc: shown(read.cc), bcc: shown(read.bcc) };
  // What cannot be read as an email is shown as it was written.
  return {
    ...defined({ subject: typeof subject === 'string' ? subject.slice(0, LONGEST_SHOWN) : undefined }),
    to: written(to),
    cc: written(cc),
    bcc: written(bcc),
  };
};

const shown = (addresses: readonly Address[]): readonly string[] =>
  addresses.slice(0, MOST_SHOWN).map(({ name, address }) => (name ? `${name} <${address}>` : address));

const written = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value : [value]).slice(0, MOST_SHOWN).flatMap((one: unknown) => {
    if (typeof one === 'string') return [one.slice(0, LONGEST_SHOWN)];
    const { address } = (one ?? {}) as { readonly address?: unknown };
    return typeof address === 'string' ? [address.slice(0, LONGEST_SHOWN)] : [];
  });

const ofMime = async (mime: Base64Text): Promise<HeldContent> => {
  const { default: PostalMime } = await import('postal-mime');
  const { subject, to, cc, bcc } = await PostalMime.parse(decodeRange(mime, 0, MIME_START));
  const flat = (list: typeof to): readonly string[] =>
    shown(
      (list ?? []).flatMap(({ name, address, group }) =>
        (group ?? (address === undefined ? [] : [{ name, address }])).map((one) => ({
          name: one.name,
          address: one.address,
        })),
      ),
    );
  return { ...defined({ subject }), to: flat(to), cc: flat(cc), bcc: flat(bcc) };
};
