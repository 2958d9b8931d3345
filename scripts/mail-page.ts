/** The desk's responses, formatted for a terminal. */
export type DeskMail = {
  readonly id: string;
  readonly state: string;
  readonly sender: string;
  readonly caller: string;
  readonly connection?: string;
  readonly recipients: number;
  readonly redirected?: boolean;
  readonly captured?: boolean;
  readonly acceptedAt: string;
  readonly updatedAt: string;
  readonly until?: string;
  readonly sendAt?: string;
  readonly internetMessageId?: string;
  readonly record?: string;
  readonly note?: string;
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
  readonly timeline: readonly {
    readonly at: string;
    readonly event: string;
    readonly [fact: string]: unknown;
  }[];
};

export const toTable = (mails: readonly DeskMail[]): string =>
  mails.length === 0
    ? 'No email is held.'
    : [
        'ID                                    HELD SINCE            REASON                      SENDER                          CALLER',
        ...mails.map(({ id, updatedAt, reason, sender, caller }) =>
          [
            id,
            `${updatedAt.slice(0, 19)}Z`.padEnd(20),
            (reason?.code ?? '').padEnd(26),
            (sender || '(unknown)').padEnd(30),
            caller,
          ].join('  '),
        ),
      ].join('\n');

export const toPage = ({ timeline, reason, ...mail }: DeskMail): string =>
  [
    `${mail.id}  ${mail.state}`,
    line('Caller', mail.caller),
    line('Sender', mail.sender || '(unknown)'),
    ...(mail.connection === undefined ? [] : [line('Connection', mail.connection)]),
    line('Recipients', `${mail.recipients}${diverted(mail)}`),
    ...timeline.map(({ at, event, ...facts }) => {
      const words = Object.entries(facts).map(([name, value]) => `${name}=${String(value)}`);
      return `${at}  ${event}${words.length === 0 ? '' : `  ${words.join(' ')}`}`;
    }),
    ...(mail.sendAt === undefined ? [] : [line('Send at', mail.sendAt)]),
    ...(mail.internetMessageId === undefined ? [] : [line('Message-ID', mail.internetMessageId)]),
    ...(mail.until === undefined ? [] : [line('Waits until', mail.until)]),
    ...(reason === undefined ? [] : reasonLines(reason)),
    ...(mail.record === undefined ? [] : [line('Record', `${mail.record} in the container mail-held`)]),
    ...(mail.note === undefined ? [] : [line('Note', mail.note)]),
  ].join('\n');

const diverted = ({ state, redirected, captured }: Omit<DeskMail, 'timeline' | 'reason'>): string => {
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
