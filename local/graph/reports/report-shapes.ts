/** Who writes a report, and how: each shape as its writers are known to write it. */
export type ReportShape = {
  readonly writer: 'exchange' | 'postfix' | 'sendmail' | 'ses' | 'out-of-office' | 'forger';
  readonly itemClass: string;
  readonly action?: 'failed' | 'delayed' | 'relayed' | 'delivered';
  readonly code: string;
  /** What the server of the recipient said. */
  readonly said: string;
  readonly subject: string;
  /** Its first sentence; `{}` is where the recipients are. */
  readonly text: string;
  /** Whether it has In-Reply-To and References. Reports that were forwarded have lost them. */
  readonly isReply: boolean;
  /** What it returns of the email. */
  readonly returns: 'headers' | 'message' | 'nothing';
};

const NDR = 'REPORT.IPM.Note.NDR';

const FAILED: ReportShape = {
  writer: 'exchange',
  itemClass: NDR,
  action: 'failed',
  code: '5.1.10',
  said: '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup',
  subject: 'Undeliverable: ',
  text: 'Your message to {} could not be delivered.',
  isReply: true,
  returns: 'headers',
};

/** By what follows `bounce-` in the address of the recipient; `bounce@` alone is the first. */
export const BOUNCES = {
  '': FAILED,
  de: { ...FAILED, subject: 'Unzustellbar: ', text: 'Ihre Nachricht an {} konnte nicht zugestellt werden.' },
  nl: { ...FAILED, subject: 'Onbestelbaar: ', text: 'Uw bericht aan {} kon niet worden bezorgd.' },
  zh: { ...FAILED, subject: '未傳遞的主旨: ', text: '無法將您的郵件傳遞給 {}。' },
  postfix: {
    ...FAILED,
    writer: 'postfix',
    code: '5.1.1',
    said: '550 5.1.1 User unknown in virtual mailbox table',
    subject: 'Undelivered Mail Returned to Sender',
    text: 'This is the mail system at host mx.fabrikam.example. The message could not be delivered to {}.',
    returns: 'message',
  },
  sendmail: {
    ...FAILED,
    writer: 'sendmail',
    code: '5.2.2',
    said: '552 5.2.2 Over quota',
    subject: 'Returned mail: see transcript for details',
    text: 'The following addresses had permanent fatal errors: {}',
    isReply: false,
  },
  ses: {
    ...FAILED,
    writer: 'ses',
    code: '5.0.0',
    said: '550 5.4.1 Recipient address rejected: Access denied',
    subject: 'Delivery Status Notification (Failure)',
    text: 'An error occurred while trying to deliver the mail to the following recipients: {}',
    isReply: false,
  },
  forwarded: { ...FAILED, isReply: false },
  silent: { ...FAILED, isReply: false, returns: 'nothing' },
  delayed: {
    ...FAILED,
    itemClass: 'REPORT.IPM.Note.Delayed.DR',
    action: 'delayed',
    code: '4.4.7',
    said: '451 4.4.7 Message delayed',
    subject: 'Delivery delayed: ',
    text: 'Your message to {} has not been delivered yet. The server keeps trying.',
  },
  fake: {
    ...FAILED,
    writer: 'forger',
    subject: 'Undeliverable: ',
    text: 'Your message could not be delivered to {}.',
  },
} as const satisfies Record<string, ReportShape>;

/** By the beginning of the address. */
export const OTHERS = {
  'delivered@': {
    ...FAILED,
    itemClass: 'REPORT.IPM.Note.DR',
    action: 'delivered',
    code: '2.1.5',
    said: '250 2.1.5 OK',
    subject: 'Delivered: ',
    text: 'Your message has been delivered to {}.',
  },
  'relayed@': {
    ...FAILED,
    itemClass: 'REPORT.IPM.Note.Relayed.DR',
    action: 'relayed',
    code: '2.1.9',
    said: '250 2.1.9 Relayed',
    subject: 'Relayed: ',
    text: 'Delivery to {} is complete, but the destination server sends no delivery notification.',
  },
  'out-of-office@': {
    ...FAILED,
    writer: 'out-of-office',
    itemClass: 'IPM.Note.Rules.OofTemplate.Microsoft',
    subject: 'Automatic reply: ',
    text: 'I am out of the office until 5.1.2027.',
  },
} as const satisfies Record<string, ReportShape>;

/** A shape, by whose key the recipients of an email that share a report are put together. */
export type KeyedShape = { readonly key: string; readonly shape: ReportShape };

/** `bounce-postfix@`, or `bounce+5.7.1@` for the report of Exchange with this code. Undefined: nothing comes back. */
export const shapeFor = (address: string): KeyedShape | undefined => {
  const local = address.slice(0, address.lastIndexOf('@') + 1).toLowerCase();
  if (Object.hasOwn(OTHERS, local)) return { key: local, shape: OTHERS[local as keyof typeof OTHERS] };
  const found = /^bounce(?:-(?<name>[a-z]+)|\+(?<code>[245]\.\d{1,3}\.\d{1,3}))?@$/.exec(local);
  if (found === null) return undefined;
  const { name = '', code } = found.groups ?? {};
  if (code !== undefined)
    return { key: code, shape: { ...FAILED, code, said: `550 ${code} refused for a test` } };
  return Object.hasOwn(BOUNCES, name)
    ? { key: name, shape: BOUNCES[name as keyof typeof BOUNCES] }
    : undefined;
};
