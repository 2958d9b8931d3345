import type { HeldContent } from '../src/lib/desk/held-content.ts';
import type { MailStatus } from '../src/lib/desk/mail-status.ts';
import { readTimeline } from '../src/lib/desk/timeline.ts';
import { inWords } from '../src/lib/desk/timeline-words.ts';
import type { DeliveryStatus } from '../src/lib/desk/trace-mail.ts';
import { whereToLook } from '../src/lib/desk/where-to-look.ts';

/** The desk's responses, formatted for a terminal. */
export type DeskMail = MailStatus & {
  readonly caller: string;
  readonly connection?: string;
  readonly recipientAddresses?: readonly string[];
  readonly redirected?: boolean;
  readonly captured?: boolean;
  readonly bounced?: boolean;
  readonly until?: string;
  readonly sendAt?: string;
  readonly internetMessageId?: string;
  readonly record?: string;
  readonly note?: string;
  readonly omittedAttempts?: number;
  readonly priority?: string;
  readonly content?: HeldContent;
  readonly delivery?: DeliveryStatus;
  readonly reason?: {
    readonly code: string;
    readonly title: string;
    readonly detail?: string;
    readonly remedy: string;
    readonly problems?: readonly {
      readonly code: string;
      readonly pointer: string;
      readonly expected: string;
      readonly received: string;
    }[];
  };
};

/** An email for a terminal: what it is, what happened, why, and what to do. */
export const toPage = (mail: DeskMail, now: Date): string =>
  [
    `${mail.id}  ${mail.state}${mail.bounced ? ', bounced' : ''}`,
    line('Caller', mail.caller),
    line('Sender', mail.sender || '(unknown)'),
    ...(mail.connection === undefined ? [] : [line('Connection', mail.connection)]),
    line('Recipients', `${mail.recipients}${diverted(mail)}`),
    ...(mail.recipientAddresses ?? []).map((address) => line('', address)),
    ...(mail.tags.length === 0 ? [] : [line('Tags', mail.tags.join(', '))]),
    ...(mail.priority === undefined ? [] : [line('Priority', mail.priority)]),
    ...contentLines(mail.content),
    ...(mail.sendAt === undefined ? [] : [line('Send at', mail.sendAt)]),
    ...(mail.internetMessageId === undefined ? [] : [line('Message-ID', mail.internetMessageId)]),
    ...(mail.until === undefined ? [] : [line('Waits until', mail.until)]),
    'What happened',
    ...(mail.omittedAttempts === undefined
      ? []
      : [`  ${mail.omittedAttempts} earlier attempts are not kept.`]),
    ...readTimeline(mail).map((event) => `  ${event.at}  ${inWords(event)}`),
    ...deliveryLines(mail.delivery),
    ...(mail.reason === undefined ? [] : reasonLines(mail.reason)),
    ...lookLines(mail, now),
    ...(mail.record === undefined ? [] : [line('Record', `${mail.record} in the container mail-held`)]),
    ...(mail.note === undefined ? [] : [line('Note', mail.note)]),
  ].join('\n');

const contentLines = (content: DeskMail['content']): readonly string[] =>
  content === undefined
    ? []
    : [
        ...(content.subject === undefined ? [] : [line('Subject', content.subject)]),
        ...(['to', 'cc', 'bcc'] as const).flatMap((field) =>
          content[field].map((one, index) =>
            line(index === 0 ? `${field[0]?.toUpperCase()}${field.slice(1)}` : '', one),
          ),
        ),
      ].map(printable);

/** What is known of each recipient, and why not more. */
const deliveryLines = (delivery: DeskMail['delivery']): readonly string[] =>
  delivery === undefined
    ? []
    : [
        'Delivery',
        ...delivery.recipients.flatMap(
          ({ recipient, address, status, meaning, code, cause, remedy }, index) => [
            `  ${address ?? `recipient ${recipient ?? index + 1}`}  ${status}${code === undefined ? '' : ` (${code})`}: ${meaning}`,
            ...[cause, remedy].filter((one) => one !== undefined).map((one) => `    ${one}`),
          ],
        ),
        ...(delivery.reason === undefined
          ? []
          : [`  ${delivery.reason.code}: ${delivery.reason.title}`, `  ${delivery.reason.remedy}`]),
        ...(delivery.askAgainAt === undefined ? [] : [`  More can be known from ${delivery.askAgainAt}.`]),
      ].map(printable);

/** What a stranger wrote must not move the cursor of a terminal, or the order of its letters. */
const printable = (text: string): string => text.replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');

/** Where to find out whether it was sent, for an email of which the relay does not know. */
const lookLines = (mail: DeskMail, now: Date): readonly string[] => {
  const isSent = mail.state === 'sent';
  if (!isSent && mail.reason?.code !== 'OUTCOME_UNKNOWN' && mail.reason?.code !== 'HOST_GAVE_UP') return [];
  const { outlook, powershell } = whereToLook(mail, now, mail.content);
  return [
    ...(outlook === undefined ? [] : [line('Sent Items', printable(outlook))]),
    line('Trace', printable(powershell)),
    ...(mail.state === 'held' && mail.content === undefined
      ? [line('', `With its subject and recipients: npm run mail -- show ${mail.id} --content`)]
      : []),
  ];
};

const diverted = ({ state, redirected, captured }: DeskMail): string => {
  if ((state === 'held' || state === 'closed') && (redirected || captured))
    return `, from whom it was to be kept (${captured ? 'captured' : 'redirected'})`;
  if (captured) return ', kept for the inbox page instead';
  return redirected ? ', redirected to the address in MAIL_REDIRECT_TO' : '';
};

const reasonLines = (reason: NonNullable<DeskMail['reason']>): string[] => [
  line('Reason', `${reason.code}: ${reason.title}`),
  ...(reason.detail === undefined ? [] : [line('', reason.detail)]),
  ...(reason.problems ?? []).map(({ code, pointer, expected, received }, index) =>
    line(
      index === 0 ? 'Problems' : '',
      `${pointer || '(the whole email)'}: expected ${expected}; received ${received} (${code})`,
    ),
  ),
  line('What to do', reason.remedy),
];

const line = (name: string, text: string): string => `${name.padEnd(12)}${text}`;
