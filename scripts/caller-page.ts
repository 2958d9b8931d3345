/** The relay's responses about callers, formatted for a terminal. */
export type CallerPage = {
  readonly name: string;
  readonly declaredIn: string;
  readonly meaning?: string;
  readonly open?: true;
  readonly disabled?: boolean;
  readonly senders?: readonly string[];
  readonly defaultSender?: string | { readonly name?: string; readonly address: string };
  readonly recipients?: readonly string[];
  readonly mailsPerDay?: number;
  readonly recipientsPerDay?: number;
  readonly maxMailBytes?: number;
  readonly doors?: readonly string[];
  readonly reads?: string;
  readonly onUnknown?: string;
  readonly priority?: string;
  readonly tags?: readonly string[];
  readonly owner?: string;
  readonly ownerOutsideDomains?: true;
  readonly apps?: readonly string[];
  readonly functionKeys?: readonly string[];
  readonly keys: readonly { readonly id: string; readonly createdAt: string }[];
};

export type AuditLine = {
  readonly at: string;
  readonly with: string;
  readonly by?: string;
  readonly caller: string;
  readonly action: string;
  readonly keyId?: string;
  readonly changes: readonly { readonly field: string; readonly from?: unknown; readonly to?: unknown }[];
};

const stateOf = ({ open, disabled, declaredIn }: CallerPage): string => {
  if (declaredIn === 'unreadable' || declaredIn === 'nowhere') return declaredIn;
  if (disabled) return 'disabled';
  return open ? 'OPEN' : 'enabled';
};

const shortList = (items: readonly string[] | undefined, none: string): string => {
  const [first = none, ...more] = items ?? [];
  return more.length === 0 ? first : `${first} and ${more.length} more`;
};

/** What to do about doors that nobody has closed. */
const openHint = (callers: readonly CallerPage[], there: string): readonly string[] => {
  const open = callers.filter((one) => one.open);
  if (open.length === 0) return [];
  return [
    '',
    ...open.map(({ name, meaning }) => `${name} is open: ${meaning} can send as every allowed sender.`),
    'Once every application has a caller of its own, close what is open:',
    ...open.map(({ name }) => `  npm run callers -- disable ${name}${there}`),
  ];
};

/** All callers, a line each. `there`: the options with which a printed command reaches this relay. */
export const toCallerTable = (callers: readonly CallerPage[], there: string): string => {
  const rows = callers.map((one) => [
    one.name,
    stateOf(one),
    one.declaredIn,
    shortList(one.senders, 'all allowed'),
    one.mailsPerDay === undefined ? '-' : String(one.mailsPerDay),
    String(one.keys.length),
    one.owner ?? '-',
  ]);
  const head = ['NAME', 'STATE', 'DECLARED IN', 'SENDERS', 'EMAILS A DAY', 'KEYS', 'OWNER'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = [head, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [...lines, ...openHint(callers, there)].join('\n');
};

const line = (name: string, text: string): string => `${name.padEnd(20)}${text}`;

const OUTSIDE_DOMAINS =
  'gets no warnings: the address is outside MAIL_RECIPIENT_DOMAINS. Set an owner within it, or use the log.';

/** One caller, a line for each rule. */
export const toCallerPage = (caller: CallerPage): string => {
  const { name, declaredIn, meaning, keys, defaultSender } = caller;
  const list = (items: readonly string[] | undefined, none: string) => (items ?? [none]).join(', ');
  const number = (limit: number | undefined) => (limit === undefined ? 'no limit' : String(limit));
  const sender = typeof defaultSender === 'object' ? defaultSender.address : defaultSender;
  const head = [`${name}  ${stateOf(caller)}`, line('Declared in', declaredIn)];
  if (meaning !== undefined) head.push(line('Stands for', meaning));
  const keyLines = keys.map(({ id, createdAt }, index) =>
    line(index === 0 ? 'Keys' : '', `${id}, made ${createdAt.slice(0, 19)}Z`),
  );
  if (declaredIn === 'unreadable' || declaredIn === 'nowhere') return [...head, ...keyLines].join('\n');
  return [
    ...head,
    line('Senders', list(caller.senders, 'every sender that the settings allow')),
    ...(sender === undefined ? [] : [line('Default sender', sender)]),
    line('Recipients', list(caller.recipients, '*')),
    line('Emails a day', number(caller.mailsPerDay)),
    line('Recipients a day', number(caller.recipientsPerDay)),
    line('Bytes of an email', number(caller.maxMailBytes)),
    line('Sends by', list(caller.doors, '-')),
    line('Reads', caller.reads === 'all' ? 'the emails of every caller' : 'its own emails'),
    ...(caller.onUnknown === undefined ? [] : [line('Unknown outcome', caller.onUnknown)]),
    ...(caller.priority === undefined
      ? []
      : [line('Priority', `${caller.priority}, and none that is higher`)]),
    ...(caller.tags === undefined ? [] : [line('Tags', list(caller.tags, ''))]),
    line('Owner', caller.owner ?? '-'),
    ...(caller.ownerOutsideDomains ? [line('', OUTSIDE_DOMAINS)] : []),
    ...(caller.apps === undefined ? [] : [line('Applications', list(caller.apps, ''))]),
    ...(caller.functionKeys === undefined ? [] : [line('Function keys', list(caller.functionKeys, ''))]),
    ...(keyLines.length === 0 ? [line('Keys', 'none')] : keyLines),
  ].join('\n');
};

const shown = (value: unknown): string =>
  value === undefined ? 'none' : typeof value === 'string' ? value : JSON.stringify(value);

/** The trail, newest first. */
export const toAuditPage = (entries: readonly AuditLine[]): string =>
  entries.length === 0
    ? 'Nothing was changed.'
    : entries
        .flatMap(({ at, with: key, by, caller, action, keyId, changes }) => [
          `${at.slice(0, 19)}Z  ${caller}  ${action}${keyId === undefined ? '' : `  key ${keyId}`}  by ${by === undefined ? `the ${key}` : `${by} (${key})`}`,
          ...changes.map(({ field, from, to }) => `    ${field}: ${shown(from)} -> ${shown(to)}`),
        ])
        .join('\n');

/** A recipient for a first email, such that the caller may reach it. */
const recipientFor = ([first = '*']: readonly string[] = []): string => {
  if (first === '*') return 'someone@example.com';
  return first.startsWith('*@') ? `someone${first.slice(1)}` : first;
};

/** A key that was made, and what to do with it: a request that works when pasted into bash. */
export const toKeyPage = (key: string, url: URL, recipients: readonly string[] | undefined): string => {
  const mail = { to: recipientFor(recipients), subject: 'First email', text: 'It works.' };
  const json = JSON.stringify(mail).replaceAll("'", "'\\''");
  return `
  Key: ${key}

  The relay shows it only now and keeps a hash. Store it where the application keeps its secrets.
  To try it, paste the key after the first line:

    read -rs MAIL_RELAY_KEY
    curl ${url.origin}/api/v1/mail \\
      -H "Authorization: Bearer $MAIL_RELAY_KEY" -H 'content-type: application/json' \\
      -d '${json}'
`;
};
