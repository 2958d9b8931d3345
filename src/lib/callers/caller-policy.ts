import { AppError, type Problem } from '../errors.ts';
import { type Address, addressKey } from '../mail/address.ts';
import { matchesAny } from '../mail/address-pattern.ts';
import type { Mail } from '../mail/mail-schema.ts';
import { lowerOf, type Priority, USUAL_PRIORITY } from '../mail/priority.ts';
import { isAllowedSender, type SenderPolicy } from '../mail/sender-policy.ts';
import type { OutgoingMail } from '../sending/outgoing-mail.ts';
import type { Caller, Door } from './caller.ts';

/*
 * What a caller may do, and in which words it is refused. No address is in them, neither of the email nor of the rules: the caller
 * can ask what it may do.
 */

/** Where a caller reads its own rules. */
const OWN_RULES = 'GET /api/v1/caller lists them';

/** Throws CALLER_DISABLED. */
export const requireEnabled = ({ knownAs, rules }: Caller): void => {
  if (rules.isDisabled)
    throw new AppError('CALLER_DISABLED', { detail: `The caller ${knownAs} is switched off.` });
};

export const mayEnter = ({ rules }: Caller, door: Door): boolean =>
  !rules.isDisabled && rules.doors.includes(door);

/** Throws CALLER_DISABLED, DOOR_NOT_ALLOWED. */
export const requireDoor = (caller: Caller, door: Door): void => {
  requireEnabled(caller);
  const { knownAs, rules } = caller;
  if (!rules.doors.includes(door))
    throw new AppError('DOOR_NOT_ALLOWED', {
      detail: `The caller ${knownAs} sends by ${rules.doors.join(' and ') || 'nothing'}, not by ${door}.`,
    });
};

/** Where an email says what a rule is about. */
const placeOf = ({ raw }: Pick<Mail, 'raw'>, field: string): string => (raw === undefined ? field : '/mime');

/** Whether the caller may send as this address: both the settings and its own rules must allow it. */
export const maySendAs = ({ rules }: Caller, settings: SenderPolicy, address: string): boolean =>
  isAllowedSender(settings, address) && (rules.senders === undefined || matchesAny(rules.senders, address));

/**
 * Whether the address itself is in the rules of the caller, or in the settings where it has none, and not only its domain. Where the
 * settings cannot be read, they name nobody.
 */
export const isNamedSender = (
  { rules }: Caller,
  settings: SenderPolicy | undefined,
  address: string,
): boolean => {
  const bySettings =
    settings === undefined ? [] : [...settings.allowedSenders, settings.defaultSender.address];
  return matchesAny(
    (rules.senders ?? bySettings).filter((one) => !one.startsWith('*')),
    address,
  );
};

/** The default sender of a caller. Without a name of its own, the sender of the settings keeps the one that it has there. */
const withName = (sender: Address, defaultSender: Address): Address =>
  sender.name === undefined && matchesAny([sender.address], defaultSender.address) ? defaultSender : sender;

/** The sender of emails that name none; undefined where such an email cannot be sent. */
export const defaultSenderOf = ({ rules }: Caller, { defaultSender }: SenderPolicy): Address | undefined => {
  if (rules.defaultSender !== undefined) return withName(rules.defaultSender, defaultSender);
  if (rules.senders === undefined) return defaultSender;
  const first = rules.senders.find((one) => !one.startsWith('*'));
  if (first !== undefined) return withName({ address: first }, defaultSender);
  return matchesAny(rules.senders, defaultSender.address) ? defaultSender : undefined;
};

/**
 * The sender of an email: the one it names if the caller may send as that, else its default. `accepted` is the address as which the
 * email was accepted: it never goes as another one, whatever the default is by now. Throws SENDER_NOT_ALLOWED.
 */
export const decideSender = (
  caller: Caller,
  settings: SenderPolicy,
  mail: Pick<Mail, 'from' | 'raw'>,
  accepted?: string,
): Address => {
  const sender = mail.from ?? asAccepted(defaultSenderOf(caller, settings), accepted);
  if (sender !== undefined && maySendAs(caller, settings, sender.address)) return sender;
  const whose =
    caller.rules.senders === undefined
      ? 'a sender in MAIL_ALLOWED_SENDERS'
      : `a sender of the caller ${caller.knownAs} that is in MAIL_ALLOWED_SENDERS too (${OWN_RULES})`;
  throw new AppError('SENDER_NOT_ALLOWED', {
    problems: [
      {
        code: 'SENDER_NOT_ALLOWED',
        pointer: placeOf(mail, '/from'),
        expected: whose,
        received: receivedSender(mail, accepted),
      },
    ],
  });
};

const receivedSender = ({ from }: Pick<Mail, 'from'>, accepted: string | undefined): string => {
  if (from !== undefined) return 'another address';
  return accepted === undefined
    ? 'no sender, and the caller has no default'
    : 'no sender; it was accepted as an address that is not allowed any more';
};

/** The default has a name beside its address; of another address nothing else is known. */
const asAccepted = (byDefault: Address | undefined, accepted: string | undefined): Address | undefined =>
  accepted === undefined ||
  (byDefault !== undefined && addressKey(byDefault.address) === addressKey(accepted))
    ? byDefault
    : { address: accepted };

const mayReach = (recipients: readonly string[], address: string): boolean =>
  recipients.includes('*') || matchesAny(recipients, address);

/** Throws RECIPIENT_NOT_ALLOWED, with a problem for each list that has a recipient the caller may not reach. */
export const requireRecipients = (
  { knownAs, rules }: Caller,
  mail: Pick<Mail, 'to' | 'cc' | 'bcc' | 'raw'>,
): void => {
  const problems = (['to', 'cc', 'bcc'] as const).flatMap((field): Problem[] => {
    const others = mail[field].flatMap(({ address }, index) =>
      mayReach(rules.recipients, address) ? [] : [index + 1],
    );
    if (others.length === 0) return [];
    const [first] = others;
    return [
      {
        code: 'RECIPIENT_NOT_ALLOWED',
        pointer: placeOf(mail, `/${field}`),
        expected: `recipients that the caller ${knownAs} may reach (${OWN_RULES})`,
        received:
          others.length === 1
            ? `another address as number ${first}`
            : `${others.length} other addresses, the first as number ${first}`,
      },
    ];
  });
  if (problems.length > 0) throw new AppError('RECIPIENT_NOT_ALLOWED', { problems });
};

/** Bytes of the body and the files of an email, before any encoding. */
export const bytesOf = ({ text = '', html = '', raw, files }: OutgoingMail): number =>
  (raw === undefined ? 0 : raw.bytes.length) +
  Buffer.byteLength(text) +
  Buffer.byteLength(html) +
  files.reduce((sum, { bytes }) => sum + bytes, 0);

/** Throws MAIL_TOO_LARGE_FOR_CALLER. */
export const requireSize = ({ knownAs, rules: { maxMailBytes } }: Caller, mail: OutgoingMail): void => {
  if (maxMailBytes === undefined) return;
  const bytes = bytesOf(mail);
  if (bytes > maxMailBytes)
    throw new AppError('MAIL_TOO_LARGE_FOR_CALLER', {
      detail: `An email of the caller ${knownAs} can have ${maxMailBytes} bytes of text and files; this one has ${bytes}.`,
    });
};

/** The same priority, or that of the caller where this is lower. */
export const withinCeiling = ({ rules }: Caller, priority: Priority): Priority =>
  rules.priority === undefined ? priority : lowerOf(priority, rules.priority);

/** Throws PRIORITY_NOT_ALLOWED. */
export const requirePriority = (caller: Caller, { priority }: Pick<Mail, 'priority'>): void => {
  const most = caller.rules.priority;
  if (priority === undefined || most === undefined || withinCeiling(caller, priority) === priority) return;
  throw new AppError('PRIORITY_NOT_ALLOWED', {
    problems: [
      {
        code: 'PRIORITY_NOT_ALLOWED',
        pointer: '/priority',
        expected: `${most === 'bulk' ? '"bulk"' : '"normal" or "bulk"'}, or no priority: the caller ${caller.knownAs} has no higher one (${OWN_RULES})`,
        received: `"${priority}"`,
      },
    ],
  });
};

/** The email as one of this caller: with its tags, its priority, and with what it wants done about an unknown outcome. */
export const asMailOf = ({ rules }: Caller, mail: Mail): Mail & { readonly priority: Priority } => {
  const onUnknown = mail.onUnknown ?? rules.onUnknown;
  return {
    ...mail,
    priority: mail.priority ?? rules.priority ?? USUAL_PRIORITY,
    ...(onUnknown === undefined ? {} : { onUnknown }),
    tags: [...new Set([...mail.tags, ...rules.tags])],
  };
};
