import type { AttemptWords, OpsWords } from './words.ts';

const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const span = (ms: number): string => {
  if (ms === 0) return '0 s';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 2 * MINUTE_MS) return `${Math.round(ms / 1000)} s`;
  if (ms < 2 * HOUR_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  if (ms < 2 * DAY_MS) return `${Math.round(ms / HOUR_MS)} h`;
  return counted(Math.round(ms / DAY_MS), 'day');
};

const colon = (what: string | undefined): string => (what === undefined ? '.' : `: ${what}.`);

const returned = ({ status, after }: AttemptWords): string =>
  [
    status === undefined ? '' : `Graph returned ${status}`,
    after === undefined ? '' : `${status === undefined ? 'The attempt ended' : ''} after ${after}`,
  ]
    .join('')
    .trim();

const looked = (times: number): string => {
  if (times === 0) return 'The relay';
  const often = times === 1 ? 'once' : times === 2 ? 'twice' : `${times.toLocaleString('en')} times`;
  return `The relay looked in the mailbox of the sender ${often} and`;
};

const sentences = (...parts: readonly string[]): string =>
  parts
    .filter((part) => part !== '')
    .map((part) => (part.endsWith('.') ? part : `${part}.`))
    .join(' ');

/** The words in English. */
export const ENGLISH: OpsWords = {
  title: 'Graph Mail Relay',
  skip: 'Skip to the content',
  navigation: 'Pages',
  otherLanguage: '繁體中文',
  signedInAs: (name) => `Signed in as ${name}`,
  readOnly: 'read only',
  signOut: 'Sign out',
  timesAreUtc: 'All times are UTC.',
  pages: {
    overview: 'Overview',
    search: 'Search',
    held: 'Held emails',
    callers: 'Callers',
    mailboxes: 'Mailboxes',
    trail: 'Audit trail',
    test: 'Test email',
  },
  states: {
    queued: 'queued',
    sending: 'sending',
    deferred: 'deferred',
    unknown: 'unknown',
    sent: 'sent',
    rejected: 'rejected',
    held: 'held',
    closed: 'closed',
    canceled: 'canceled',
    captured: 'captured',
    bounced: 'bounced',
  },
  findings: { ok: 'OK', unknown: 'Unknown', warning: 'Warning', failed: 'Failed' },
  headlines: {
    ok: 'Everything is in order',
    unknown: 'Nothing is wrong that the relay can see',
    warning: 'Something needs attention',
    failed: 'Something is broken',
  },
  none: 'None',
  next: 'Next page',
  backToOverview: 'Back to the overview',
  whatToDo: 'What to do',
  notFoundOut: 'The relay could not find this out',
  ago: (ms) => (ms < 1000 ? 'now' : `${span(ms)} ago`),
  span,
  columns: {
    accepted: 'Accepted',
    action: 'Action',
    age: 'Oldest visible message',
    attempts: 'Attempts',
    caller: 'Caller',
    check: 'Check',
    connection: 'Connection',
    daysLeft: 'Days left',
    expires: 'Expires',
    id: 'Email',
    kind: 'Kind',
    lastRun: 'Last run',
    mailsToday: 'Emails today',
    mailbox: 'Mailbox',
    messages: 'Messages',
    name: 'Name',
    outcome: 'Outcome',
    queue: 'Queue',
    reason: 'Reason',
    recipient: 'Recipient',
    recipients: 'Recipients',
    recipientsToday: 'Recipients today',
    select: 'Select',
    sender: 'Sender',
    senders: 'Senders',
    source: 'Source',
    state: 'State',
    status: 'Status',
    time: 'Time',
    who: 'Operator',
  },
  signIn: {
    title: 'Sign in',
    intro: 'This page is for the operators of the relay.',
    key: 'Master key',
    keyHelp:
      'The relay asks its host whether the key is right. It stays in a sealed cookie of this browser for up to 8 hours.',
    name: 'Your name',
    nameHelp: 'It goes into the audit trail beside everything that you do.',
    submit: 'Sign in',
    withEntra: 'Sign in with Microsoft',
    entraIntro: 'Sign in with the account of your organization.',
    why: {
      ended: 'Your session has ended. Sign in again.',
      unsure: 'The relay cannot check the master key at the moment. Try again in a minute.',
      name: 'Expected your name, 1 to 100 characters. Write it, and sign in again.',
      wrong:
        'The key is not the master key of this app. Copy it from the portal (App keys, _master) and try again.',
      unknown:
        'The relay could not ask its host whether the key is right. Check that the app can reach its own address; docs/operator-page.md says how.',
      'too-many': 'Too many attempts to sign in. Wait five minutes.',
      left: 'You have signed out.',
    },
    noRole: 'Your account has no role here',
    noRoleHelp: (name, read, operate) =>
      `You are signed in as ${name}. Ask an administrator to assign an app role to you: ${read} to look, or ${operate} to act. Microsoft Entra admin center > Enterprise applications > the application of this page > Users and groups. Then sign out and in again.`,
    notSetUp: 'Sign-in is not set up',
    notSetUpHelp:
      'OPS_SIGN_IN is entra, but the authentication of App Service is off. Deploy with the option opsClientId, or switch authentication on in the portal. docs/operator-page.md has each step.',
  },
  overview: {
    checkedAt: 'Checked',
    checkNow: 'Check again now',
    held: 'Held emails',
    heldHelp: 'An operator must decide about each of them.',
    waiting: 'Messages on the queues',
    waitingHelp: (oldest) => `The oldest visible one has been there for ${oldest}.`,
    nothingWaits: 'Nothing waits.',
    nextCredential: 'Next credential to expire',
    noCredential: 'No credential with an expiry date is known.',
    days: (count) => counted(count, 'day'),
    expired: 'expired',
    findings: 'Findings',
    inOrder: (count) => `${counted(count, 'check')} in order`,
    queues: 'Queues',
    noQueue: 'missing',
    charts: 'The last day',
    depth: 'Messages on the queues',
    oldest: 'Age of the oldest visible message',
    noSamples: 'There are no samples yet. The relay takes one every few minutes.',
    chartSummary: (name, now, most) =>
      `${name}: ${now === undefined ? '' : `${now} now, `}at most ${most} in the last day.`,
    chartStart: '24 h ago',
    chartEnd: 'now',
    credentials: 'Credentials',
    heartbeats: 'Timers',
    never: 'never',
    heartbeatNames: {
      sweep: 'Hourly sweep',
      rotation: 'Renewal of client secrets',
      warnings: 'Check of credentials',
    },
    credentialKinds: { secret: 'secret', certificate: 'certificate' },
  },
  search: {
    legend: 'Find emails',
    id: 'ID of the email',
    idHelp: 'The id that the relay returned to the application.',
    anyState: 'any state',
    sender: 'Sender',
    caller: 'Caller',
    tag: 'Tag',
    recipient: 'Recipient',
    idempotencyKey: 'Idempotency key',
    requestId: 'Graph request ID',
    messageId: 'Message-ID',
    after: 'Accepted from (UTC)',
    before: 'Accepted before (UTC)',
    submit: 'Search',
    reset: 'Clear',
    wrong: (count) =>
      `Nothing was searched. Correct ${count === 1 ? 'the field' : `the ${count} fields`} marked below.`,
    faults: {
      state: 'Expected a state of the list.',
      sender: 'Expected one address such as name@example.com.',
      recipient: 'Expected one address such as name@example.com.',
      caller: 'Expected the name of a caller, at most 100 characters.',
      tag: 'Expected one tag: 1 to 50 letters, digits, dots, dashes or underscores.',
      idempotencyKey: 'Expected one key: 1 to 255 printable ASCII characters without spaces.',
      graphRequestId: 'Expected an ID such as 50185901-84c7-4d0e-8dbc-da0433628433.',
      internetMessageId: 'Expected a Message-ID such as <name@example.com>.',
      from: 'Expected a time such as 2026-11-26T08:00.',
      until: 'Expected a time such as 2026-11-26T08:00.',
      order: 'Expected a time after “Accepted from”.',
    },
    found: (count, hasMore) => `${counted(count, 'email')}${hasMore ? ', and there are more' : ''}`,
    nothing: 'No email matches.',
    unknownMessageId:
      'It can be there all the same: the relay knows the Message-ID of an email only if it sent the email as a draft, or has looked for it in the mailbox of the sender. Search by Graph request ID, or by sender and time.',
    incomplete:
      'Emails of an earlier version of the relay are still being filed, so some may be missing. Search again in an hour.',
    results: 'Results, newest first',
  },
  mail: {
    title: 'Email',
    timeline: 'Timeline',
    reason: 'Reason',
    facts: 'Facts',
    tags: 'Tags',
    priority: 'Priority',
    sendAt: 'To be sent at',
    until: 'Waits until',
    record: 'Record',
    requestId: 'Graph request ID',
    messageId: 'Message-ID',
    note: 'Note',
    redirected: 'The settings of a test environment send it to another address.',
    captured: 'The settings of a test environment keep it for the inbox page. It goes to nobody.',
    omitted: (count) => `${counted(count, 'earlier attempt')} no longer listed`,
    content: 'Subject and recipients',
    contentHelp: 'The relay reads them from its record when you ask. The audit trail says that you did.',
    openContent: 'Show subject and recipients',
    subject: 'Subject',
    to: 'To',
    cc: 'Cc',
    bcc: 'Bcc',
    decide: 'Decide',
    replay: 'Replay',
    replayHelp: 'Sends the email again, as it was stored.',
    doubt:
      'The email may have been sent already. A replay may send it twice: look in the Sent Items of the sender first.',
    close: 'Close',
    closeHelp: 'Ends the email without sending it.',
    noteHelp: 'Why you close it. The application can read the note.',
    deliveries: 'Delivery',
    deliveriesHelp:
      'What is known after Exchange accepted the email. Delivered means that the server of the recipient accepted it, not that the recipient read it.',
    noDeliveries: 'Nothing is known about single recipients.',
    askTrace: 'Ask Exchange (message trace)',
    guess: 'matched by recipient and time only',
    acts: 'What operators did',
    deliveryStates: {
      delivered: 'accepted by the server of the recipient',
      pending: 'still being delivered',
      failed: 'failed',
      quarantined: 'in quarantine',
      spam: 'filtered as spam',
      expanded: 'group, expanded to its members',
    },
    deliverySources: { trace: 'message trace', report: 'non-delivery report' },
    unlistedRecipient: 'A recipient',
    recipientNumber: (number) => `Recipient ${number}`,
  },
  timeline: {
    accepted: 'The relay accepted the email.',
    replayed: {
      operator: 'An operator replayed the email: the time for sending it started over.',
      application: 'The application repeated its request: the time for sending the email started over.',
      unknown: 'The email was taken up again: the time for sending it started over.',
    },
    heldBefore: (reason, times) =>
      `The relay held the email${times === 1 ? '' : `, for the last of ${times} times`}: ${reason}.`,
    attempt: {
      accepted: ({ status, after }) =>
        `Graph accepted the email${after === undefined ? '' : ` after ${after}`}${status === undefined ? '' : ` (status ${status})`}.`,
      rejected: (attempt) => sentences(returned(attempt), `Graph rejected the email${colon(attempt.what)}`),
      'not-sent': (attempt) =>
        sentences(
          returned(attempt),
          `The attempt certainly did not send the email${colon(attempt.what)}`,
          attempt.wait === undefined ? '' : `Graph asked the relay to wait ${attempt.wait}`,
        ),
      unknown: (attempt) =>
        sentences(
          returned(attempt),
          `It is unknown whether this attempt sent the email${colon(attempt.what)}`,
        ),
    },
    state: {
      sending: 'The relay is sending the email.',
      deferred: 'The email waits for its next attempt.',
      unknown: 'The relay looks for the email in the mailbox of the sender.',
      sent: 'The email is sent: Exchange accepted it.',
      rejected: 'The relay returned the rejection to the application.',
      held: 'The relay holds the email. An operator must decide.',
      closed: 'An operator closed the email.',
      canceled: 'The application canceled the email.',
      captured: 'The relay kept the email for the inbox page, and sent nothing.',
    },
    lookUp: {
      found: (times) => `${looked(times)} found the email.`,
      absent: (times) => `${looked(times)} did not find the email.`,
      draft: (times) => `${looked(times)} found the email as a draft that is not sent.`,
      'never-sent': (times) => `${looked(times)} found that no draft of the email was sent.`,
      'cannot-tell': (times) => `${looked(times)} is not allowed to read the mailbox.`,
      'not-now': (times) => `${looked(times)} could not read the mailbox the last time.`,
    },
    delivery: ({ who = 'A recipient', source, status, code }) =>
      `${who}: ${status}${code === undefined ? '' : ` (${code})`}, by ${source}.`,
    verified: 'The relay found the email in the mailbox of the sender: it is sent.',
    other: (event) => `${event}.`,
  },
  held: {
    intro: 'The relay does nothing more with these by itself. Oldest first.',
    empty: 'No email is held.',
    selected: 'With the selected emails',
    select: (id) => `Select email ${id}`,
    all: (count) => `All ${counted(count, 'email')} of this page`,
    help: 'Replay sends the selected emails again, as they were stored. Close ends them without sending, and needs a note, which the application can read.',
    inDoubt: 'may have been sent',
    doubt: (count) =>
      `${counted(count, 'email')} of this page may have been sent already. A replay may send ${count === 1 ? 'it' : 'them'} twice: look in the Sent Items of the sender first.`,
  },
  callers: {
    intro: 'Who may send, and what of the limits of today is used. Commands change callers: npm run callers.',
    disabled: 'disabled',
    open: 'no rules',
    ofSettings: 'those of the settings',
    unlimited: 'no limit',
    used: (taken, limit) => `${taken} of ${limit}`,
    declaredIn: {
      settings: 'settings',
      relay: 'command',
      'built-in': 'built in',
      nowhere: 'nowhere: only its keys are left',
      unreadable: 'unreadable',
    },
  },
  mailboxes: {
    intro:
      'What the relay has used of the limits of Exchange for a mailbox, all instances together. The busiest 50.',
    empty: 'Nothing was sent recently.',
    minute: 'Busiest minute',
    day: 'Recipients of a day',
    sent: 'Emails, 24 h',
    recipients: 'Recipients, 24 h',
    pauses: 'Pauses, 24 h',
    pausedUntil: 'Paused until',
    sampledAt: 'Sampled',
    notPaused: 'no',
  },
  trail: {
    intro:
      'What operators did on this page, and which emails they deleted by command. The newest is at the top; it is kept for 400 days.',
    empty: 'Nothing was done yet.',
    actions: {
      'sign-in': 'Signed in',
      replay: 'Replay',
      close: 'Close',
      open: 'Opened subject and recipients',
      trace: 'Asked Exchange (message trace)',
      test: 'Test email',
      forget: 'Deleted everything of the email',
    },
    done: 'done',
    outcomeUnknown: 'The outcome was not recorded. Open the email to see it.',
    with: { 'master key': 'master key', Entra: 'Entra' },
  },
  result: {
    title: 'Result',
    summary: (done, all) => `Done for ${done} of ${counted(all, 'email')}.`,
    open: 'Open',
  },
  test: {
    intro: 'Sends a real email in the way of every other one, and shows what happened to it.',
    to: 'To',
    from: 'From',
    fromHelp: 'Empty: the default sender.',
    submit: 'Send a test email',
  },
  error: {
    title: 'This did not work',
    code: 'Code',
    invocation: 'Invocation',
    back: 'Go back to the page',
  },
};
