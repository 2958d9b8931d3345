import * as z from 'zod';
import type { AuditEntry } from '../../src/lib/callers/caller-audit.ts';
import type { DryRun } from '../../src/lib/delivery/dry-run.ts';
import type { MadeKey } from '../../src/lib/desk/caller-keys.ts';
import type { forgetMail } from '../../src/lib/desk/forget-mail.ts';
import type { OwnCaller } from '../../src/lib/desk/own-caller.ts';
import type { RemovedCaller } from '../../src/lib/desk/remove-caller.ts';
import type { DoctorReport } from '../../src/lib/desk/run-doctor.ts';
import type { TestMailReport } from '../../src/lib/desk/send-test-mail.ts';
import type { ToldDelivery } from '../../src/lib/desk/told-deliveries.ts';
import type { DeliveryStatus } from '../../src/lib/desk/trace-mail.ts';
import type { ErrorReport, Problem } from '../../src/lib/errors.ts';
import { FINAL_STATES, OPEN_STATES } from '../../src/lib/ledger/ledger-row.ts';
import type { MailEvent } from '../../src/lib/ledger/mail-event.ts';
import {
  type CallerEvent,
  type CredentialEvent,
  EVENT_TYPES,
  type EventType,
} from '../../src/lib/ledger/relay-event.ts';
import { PRIORITIES } from '../../src/lib/mail/priority.ts';
import type { SettingsReport } from '../../src/lib/settings/settings-report.ts';

/*
 * What the relay returns. Its own types are the truth, and these schemas follow them: the compiler compares the two at the end of this
 * file, and the tests validate real responses.
 */

const text = (description: string) => z.string().describe(description);
const flag = (description: string) => z.literal(true).describe(description);
const whole = (description: string) => z.int().meta({ description, minimum: 0 });
const moment = (description: string) => z.string().meta({ description, format: 'date-time' });
const texts = (description: string) => z.array(z.string()).describe(description);
const priority = (description: string) => z.enum(PRIORITIES).describe(description);

const errorCode = text(
  'A code of the error catalogue. Codes never change; later versions can add some.',
).meta({
  examples: ['SENDER_NOT_ALLOWED'],
});

const fieldProblem = z
  .object({
    code: errorCode,
    pointer: text('JSON pointer (RFC 6901) of a field, or the name of a setting.'),
    expected: text('What the relay expected.'),
    received: text('What it received, by its kind and size: a value is never quoted.'),
  })
  .describe('One thing that is wrong with a request or a setting.');

const upstream = {
  upstreamCode: text('The error code of Entra, Graph or Exchange.').optional(),
  graphRequestId: text('The request id of Graph, for a support case with Microsoft.').optional(),
};

const reason = z
  .object({
    code: errorCode,
    title: text('What happened, in one sentence.'),
    remedy: text('What to do.'),
    detail: text('What is special about this case.').optional(),
    problems: z.array(fieldProblem).optional(),
    ...upstream,
  })
  .describe('Why something happened to an email.');

const problem = z
  .object({
    type: text('A URN that ends in the code.'),
    title: text('What happened, in one sentence.'),
    status: z.int().describe('The status of the response.'),
    detail: text('What is special about this case.').optional(),
    instance: text('A URN with the id of the invocation. Quote it when you ask for help.'),
    code: errorCode,
    remedy: text('What to do.'),
    fixedBy: z
      .enum(['caller', 'administrator', 'time'])
      .describe('Who can fix it. `time` means that the same request can succeed later.'),
    problems: z.array(fieldProblem).describe('Everything that is wrong, up to a hundred.').optional(),
    ...upstream,
    id: text('The email, if the ledger has it.').optional(),
  })
  .describe('Problem details (RFC 9457).');

const warning = z
  .object({
    code: errorCode,
    pointer: text('JSON pointer of the field.'),
    detail: text('What recipients may not get as requested.'),
  })
  .describe('Recipients may not get something as requested. The email is accepted all the same.');

const keptFromRecipients = {
  redirected: flag('A test environment sends the email to another address.').optional(),
  captured: flag('A test environment keeps the email for the inbox page.').optional(),
};

const mailState = z
  .enum([...OPEN_STATES, ...FINAL_STATES])
  .describe(
    'The state of an email in the ledger. `sent` means that Graph accepted it, not that it was delivered.',
  );

const sendState = z
  .enum(['sent', 'captured', 'queued', 'unknown', 'held', 'closed'])
  .describe(
    '`unknown`: Graph may have sent the email. Do not send it again with another key. `held` and `closed`: only for a repeated request.',
  );

const sendFields = {
  id: text('The email. Its status is at this id. Absent only for a dry run.').optional(),
  state: sendState.optional(),
  sender: text('The address that the email was, or would be, sent from.').optional(),
  statusUrl: z
    .string()
    .meta({ description: 'Where the status is. Absent for `sent`.', format: 'uri' })
    .optional(),
  sendAt: moment('When the relay sends the email, in UTC, if that is later.').optional(),
  graphRequestId: upstream.graphRequestId,
  internetMessageId: text('The Message-ID that the email went out with, if it is known.').optional(),
  ...keptFromRecipients,
  warnings: z.array(warning).optional(),
};

const dryRun = z
  .object({
    dryRun: flag('Nothing was sent, and the idempotency key is unused.'),
    sender: text('The address that the email would be sent from.'),
    recipients: whole('How many there are.'),
    priority: priority('The priority that the email would have. Absent: `normal`.').optional(),
    sendAt: moment('When the relay would send the email, if that is later.').optional(),
    ...keptFromRecipients,
    plan: z
      .object({
        kind: z.enum(['json', 'mime', 'draft']).describe('How the email would go to Graph.'),
        reason: text('Why it would go that way.'),
        warnings: z.array(warning),
      })
      .describe('How the email would be sent.'),
    requests: z
      .array(
        z.object({
          method: z.enum(['POST', 'PUT']),
          path: text('Below the endpoint of Graph.'),
          headers: z.record(z.string(), z.string()),
          body: z.unknown().optional().describe('Long texts and contents of files are cut.'),
          bodyBytes: whole('The size of the whole body.').optional(),
        }),
      )
      .describe('The requests that Graph would receive.'),
  })
  .describe('What the relay would do with an email.');

/** One schema for both: of a choice between two, some generators of clients fill only one. */
const sendResult = z.object({ ...dryRun.partial().shape, ...sendFields }).meta({
  description:
    'The relay has the email. For a dry run, what it would do instead: `dryRun`, `recipients`, `plan` and `requests`.',
  not: {
    anyOf: [
      { required: ['dryRun', 'id'] },
      { allOf: ['dryRun', 'id'].map((field) => ({ not: { required: [field] } })) },
      { required: ['id'], not: { required: ['state'] } },
      { required: ['dryRun'], not: { required: ['sender', 'recipients', 'plan', 'requests'] } },
    ],
  },
});

const batchResult = z
  .object({
    status: z.int().describe('The status that the email alone would get.'),
    ...sendFields,
    repeated: flag('A request with this idempotency key was accepted before.').optional(),
    retryAfter: whole('Seconds until the same email can succeed.').optional(),
    error: problem.optional(),
  })
  .describe('The outcome of one email of a batch: `error`, or what a response to it alone would have.');

const batchResults = z.object({
  results: z.array(batchResult).describe('In the order of the emails.'),
});

const deliveryStatus = z
  .enum(['delivered', 'pending', 'failed', 'quarantined', 'spam', 'expanded'])
  .describe('`delivered` means that the next mail server accepted the email.');

const deliverySource = z
  .enum(['trace', 'report'])
  .describe('A message trace of Exchange, or a report that the sender received.');

const ofRecipient = {
  recipient: whole('Its place among the recipients in `to`, `cc` and `bcc`, from 1.').optional(),
  address: text('Only with the setting `MAIL_LEDGER_RECIPIENTS`.').optional(),
  code: text('The enhanced status code (RFC 3463).').optional(),
  isGuess: flag('It was matched by recipient and time alone.').optional(),
  cause: text('Why the email did not arrive.').optional(),
  remedy: text('What to do.').optional(),
};

const delivery = z
  .object({
    ...ofRecipient,
    status: deliveryStatus,
    source: deliverySource,
    at: moment('When it happened.'),
    kind: z.enum(['permanent', 'temporary']).optional(),
  })
  .describe('What is known of one recipient after Exchange accepted the email.');

const traced = z
  .object({
    recipients: z.array(
      z.object({
        ...ofRecipient,
        status: z.enum([...deliveryStatus.options, 'not-asked', 'unseen', 'missing']),
        meaning: text('The status in words.'),
        source: deliverySource.optional(),
        at: moment('When it happened.').optional(),
      }),
    ),
    askedAt: moment('When the message trace was last asked.').optional(),
    askAgainAt: moment('When asking again can tell more.').optional(),
    mayChangeUntil: moment('Until then, this can change.').optional(),
    reason: reason.describe('Why not more is known.').optional(),
  })
  .describe('The part that `delivery=true` adds to a status.');

const timelineEntry = z.object({
  at: moment('When it happened.'),
  event: text(
    '`accepted`, `replayed`, `attempt` with its outcome, `look-up` with what was seen, `trace` or `report` with what it says of a recipient, or a state.',
  ),
  code: text('A code of the error catalogue or, of a recipient, the enhanced status code.').optional(),
  recipient: ofRecipient.recipient,
  isGuess: ofRecipient.isGuess,
  status: whole('Of an attempt: the HTTP status of Graph.').optional(),
  tookMs: whole('Of an attempt: how long the request to Graph took, in milliseconds.').optional(),
  waitMs: whole('How long the other side asked the relay to wait.').optional(),
  times: whole(
    'Of a look-up: how often the relay could read the mailbox of the sender. Of an email that was held before: how often.',
  ).optional(),
  by: z
    .enum(['operator', 'application'])
    .describe('Of `replayed`: who had it sent again, where that is known.')
    .optional(),
  ...upstream,
});

const mailStatus = z
  .object({
    id: text('The email.'),
    state: mailState,
    sender: text('The address that the email is sent from.'),
    recipients: whole('How many there are.'),
    recipientAddresses: texts('Only with the setting `MAIL_LEDGER_RECIPIENTS`.').optional(),
    ...keptFromRecipients,
    tags: texts('The tags of the email and of its caller.'),
    priority: priority('The priority with which the email was accepted. Absent: `normal`.').optional(),
    acceptedAt: moment('When the relay received the email.'),
    sendAt: moment('When the relay sends the email, if that is later.').optional(),
    updatedAt: moment('When the state changed last.'),
    graphRequestId: upstream.graphRequestId,
    internetMessageId: text('The Message-ID that the email went out with.').optional(),
    internetMessageIdUnknown: z
      .enum(['NOT_FOUND_YET', 'NOT_PERMITTED', 'NO_COPY'])
      .describe('Why the Message-ID of a sent email is not known.')
      .optional(),
    verified: z
      .boolean()
      .describe('`true`: the relay found the email in the mailbox after the response of Graph was lost.')
      .optional(),
    until: moment(
      'The time of the next attempt, or from when there is room for the email within a limit of the day.',
    ).optional(),
    reason: reason.optional(),
    note: text('Why an operator closed the email.').optional(),
    bounced: flag('A recipient certainly did not get the email.').optional(),
    deliveries: z.array(delivery).optional(),
    delivery: traced.optional(),
    omittedAttempts: whole('How many attempts the timeline no longer has.').optional(),
    timeline: z.array(timelineEntry).describe('What happened, oldest first.'),
  })
  .describe('What happened to an email.');

const deskMailStatus = mailStatus
  .extend({
    caller: text('Whose email it is.'),
    connection: text('By which connection it went.').optional(),
    content: z
      .object({
        subject: z.string().optional(),
        to: texts('`to`.'),
        cc: texts('`cc`.'),
        bcc: texts('`bcc`.'),
      })
      .describe('Only with `content=true`, of a held email.')
      .optional(),
    record: text('The blob in `mail-held` that a replay sends. Only for a held email.').optional(),
  })
  .describe('What happened to an email, for operators.');

const next = text('The page after this one: the parameter `after`. Absent on the last page.').optional();

const mailPage = z.object({
  mails: z.array(deskMailStatus).describe('Newest first.'),
  next,
  incomplete: flag('The index of earlier emails is not complete yet.').optional(),
});

const used = (what: string) =>
  z.object({ limit: whole(`The limit of ${what}.`), taken: whole('What is taken of it today.') });

const ownCaller = z
  .object({
    name: text('The name of the caller.'),
    senders: texts('The addresses that it can send from; `*@domain` for every address of a domain.'),
    defaultSender: text('The sender of an email without `from`.').optional(),
    recipients: texts('The recipients that it can send to; `*` for everyone.'),
    limits: z.object({
      mailsPerDay: whole('Emails in a day.').optional(),
      recipientsPerDay: whole('Recipients of all emails in a day.').optional(),
      maxMailBytes: whole('Bytes of the body and files of one email.').optional(),
    }),
    doors: z.array(z.enum(['http', 'queue'])).describe('The ways by which it can send.'),
    reads: z.enum(['own', 'all']).describe('Which emails it can get the status of.'),
    onUnknown: text('What the relay does if the outcome of an email is unknown.').optional(),
    priority: priority(
      'The priority of its emails that say none, and the highest that they can have.',
    ).optional(),
    tags: texts('Added to every email of this caller.'),
    today: z
      .object({
        resetsAt: moment('When the daily limits begin again.'),
        mails: used('emails').optional(),
        recipients: used('recipients').optional(),
      })
      .optional(),
  })
  .describe('What a caller is allowed to do.');

const keyFacts = z.object({
  id: text('The public part of the key.'),
  createdAt: moment('When it was made.'),
});
const keys = z.array(keyFacts).describe('The keys that work. The text of a key is never shown again.');

const senderAddress = z.union([z.string(), z.object({ name: z.string(), address: z.string() })]);

const callerView = z
  .object({
    name: text('The name of the caller.'),
    declaredIn: z
      .enum(['relay', 'settings', 'built-in', 'unreadable', 'nowhere'])
      .describe('Where its rules are declared.'),
    meaning: text('Who that is, for a caller that exists by itself.').optional(),
    open: flag('It exists by itself, and nobody has limited it.').optional(),
    ownerOutsideDomains: flag('`MAIL_RECIPIENT_DOMAINS` keeps warnings from its owner.').optional(),
    senders: texts('The addresses that it can send from.').optional(),
    defaultSender: senderAddress.describe('The sender of an email without `from`.').optional(),
    recipients: texts('The recipients that it can send to. Absent: everyone.').optional(),
    mailsPerDay: whole('Emails in a day.').optional(),
    recipientsPerDay: whole('Recipients of all emails in a day.').optional(),
    maxMailBytes: whole('Bytes of the body and files of one email.').optional(),
    doors: z.array(z.enum(['http', 'queue'])).optional(),
    reads: z.enum(['own', 'all']).optional(),
    onUnknown: z.enum(['verify', 'hold', 'resend']).optional(),
    priority: priority(
      'The priority of its emails that say none, and the highest that they can have.',
    ).optional(),
    tags: texts('Added to every email of this caller.').optional(),
    owner: text('The address that receives warnings about this caller.').optional(),
    disabled: z.boolean().optional(),
    apps: texts('Client IDs of applications in Entra.').optional(),
    functionKeys: texts('What the ledger calls the holders of function keys.').optional(),
    keys,
    createdAt: moment('When it was declared.').optional(),
    updatedAt: moment('When it was changed last.').optional(),
  })
  .describe('A caller, for operators. It never contains a key.');

const callerList = z.object({ callers: z.array(callerView) });

const addedCaller = z.object({
  caller: callerView,
  key: text('The key of the caller. No other response has it. Absent if the caller needs none.').optional(),
});

const madeKey = z.object({
  name: text('The name of the caller.'),
  id: text('The public part of the key.'),
  key: text('The text of the key. No other response has it.'),
  keys,
});

const forgottenMail = z.object({
  id: text('The ID of the email.'),
  forgotten: flag('Nothing is kept of it.'),
});

const removedCaller = z.object({
  name: text('The name of the caller.'),
  removed: flag('It no longer exists.'),
});

const auditEntry = z.object({
  at: moment('When it was done.'),
  with: z.literal('master key').describe('What permitted it.'),
  by: text('Who did it, from the header `x-changed-by`.').optional(),
  caller: text('The caller that was changed.'),
  action: z.enum([
    'added',
    'changed',
    'disabled',
    'enabled',
    'removed',
    'key-made',
    'key-revoked',
    'unreadable',
  ]),
  changes: z
    .array(z.object({ field: z.string(), from: z.unknown().optional(), to: z.unknown().optional() }))
    .describe('Each field before and after.'),
  keyId: text('The key that was made or revoked.').optional(),
});

const auditPage = z.object({ entries: z.array(auditEntry).describe('Newest first.'), next });

const health = z.object({ status: z.literal('up'), version: text('The version of the relay.') });

const healthDetails = health.extend({
  time: moment('The time of the app.'),
  settingsInvalid: texts('The settings that stop the relay, or the senders of one connection.'),
  safetyOn: z
    .array(z.enum(['MAIL_CAPTURE', 'MAIL_REDIRECT_TO', 'MAIL_RECIPIENT_DOMAINS']))
    .describe('The settings of a test environment that are on, the one that decides first.'),
});

const doctorState = z.enum(['ok', 'unknown', 'warning', 'failed']);

const doctorReport = z
  .object({
    state: doctorState.describe('The worst of all findings.'),
    time: moment('When the doctor ran.'),
    version: text('The version of the relay.'),
    findings: z.array(
      z.object({
        check: text('What was checked. Later versions can add checks.'),
        subject: text('Which mailbox, queue, connection or setting.').optional(),
        state: doctorState,
        seen: text('What the doctor found.'),
        remedy: text('What to do.').optional(),
        code: errorCode.optional(),
      }),
    ),
  })
  .describe('What the doctor found.');

const testMailReport = z
  .object({
    id: text('The email.'),
    state: mailState,
    from: z.object({
      address: text('The sender.'),
      seenIn: z
        .enum(['sent-items', 'settings'])
        .describe('`sent-items`: read from the copy in the mailbox. `settings`: as the relay requested it.'),
    }),
    connection: text('The connection that sends for this sender.'),
    credential: z.object({
      kind: text('Such as `client-secret`.'),
      name: text('The name in the vault.').optional(),
      version: text('The version in the vault.').optional(),
      expiresOn: moment('When it expires.').optional(),
    }),
    graph: z
      .object({ status: z.int().optional(), requestId: z.string().optional() })
      .describe('What Graph returned.')
      .optional(),
    steps: z.object({
      tokenMs: whole('To get a token.'),
      ledgerMs: whole('For the ledger.'),
      graphMs: whole('For Graph.'),
      totalMs: whole('For everything.'),
    }),
    repeated: flag('A request with this idempotency key was accepted before.').optional(),
    ...keptFromRecipients,
    reason: reason.optional(),
  })
  .describe('How each step of a test email went.');

const isOfMail = (type: EventType): type is MailEvent['eventType'] => type.startsWith('GraphMailRelay.Mail.');

const recipientNews = z
  .object({
    index: whole('Its place among the recipients in `to`, `cc` and `bcc`.').optional(),
    status: z
      .enum(['delivered', 'pending', 'failed', 'quarantined', 'spam', 'expanded'])
      .describe('`delivered` means that the next mail server accepted the email.'),
    source: z
      .enum(['trace', 'report'])
      .describe('A message trace of Exchange, or a report that the sender received.'),
    at: moment('When it happened.'),
    code: text('The enhanced status code (RFC 3463).').optional(),
    isGuess: flag('It was matched by recipient and time alone.').optional(),
  })
  .describe('What is known of one recipient. It contains no address.');

const mailEvent = z
  .object({
    id: text('The same if the event is written again.'),
    eventType: z.enum(EVENT_TYPES.filter(isOfMail)),
    subject: text('`mail/` and the id of the email.'),
    eventTime: moment('When it happened.'),
    dataVersion: z.literal('1'),
    data: z.object({
      mailId: text('The email.'),
      state: mailState,
      caller: text('Whose email it is.'),
      tags: texts('The tags of the email.'),
      ...keptFromRecipients,
      code: errorCode.optional(),
      graphRequestId: upstream.graphRequestId,
      recipients: z.array(recipientNews).describe('Only for `Bounced` and `Delivered`.').optional(),
      omitted: whole('How many recipients are not in this list.').optional(),
    }),
  })
  .describe('An email reached a final state, or something is known of its recipients. Sent at least once.');

const credentialEvent = z
  .object({
    id: text('The same if the event is written again.'),
    eventType: z.literal('GraphMailRelay.Credential.Warning'),
    subject: text('The credential.'),
    eventTime: moment('When the relay warned.'),
    dataVersion: z.literal('1'),
    data: z.object({
      credential: text('The name of the credential.'),
      kind: text('Such as `client-secret`.'),
      state: text('What is wrong with it.'),
      inUse: z.boolean().describe('Whether the relay uses it.'),
      connection: text('The connection that uses it.').optional(),
      daysLeft: z.int().describe('Days until it expires.').optional(),
      expiresOn: text('When it expires.').optional(),
      code: errorCode.optional(),
      ownerTag: text('Why the owner in the vault receives no email.').optional(),
    }),
  })
  .describe('A credential expires or cannot be used.');

const callerEvent = z
  .object({
    id: text('The same for the whole day.'),
    eventType: z.literal('GraphMailRelay.Caller.LimitReached'),
    subject: text('`caller/` and the name of the caller.'),
    eventTime: moment('When the caller reached its limit.'),
    dataVersion: z.literal('1'),
    data: z.object({
      caller: text('The name of the caller.'),
      day: text('The day in UTC.'),
      resetsAt: moment('When the limit begins again.'),
    }),
  })
  .describe('A caller reached its daily limit.');

/** The schemas by the names that clients see. */
export const responseSchemas = {
  Problem: problem,
  FieldProblem: fieldProblem,
  Reason: reason,
  Warning: warning,
  SendState: sendState,
  SendResult: sendResult,
  BatchResults: batchResults,
  BatchResult: batchResult,
  MailState: mailState,
  MailStatus: mailStatus,
  TimelineEntry: timelineEntry,
  RecipientDelivery: delivery,
  DeliveryStatus: traced,
  DeskMailStatus: deskMailStatus,
  MailPage: mailPage,
  OwnCaller: ownCaller,
  Caller: callerView,
  CallerKey: keyFacts,
  CallerList: callerList,
  AddedCaller: addedCaller,
  MadeKey: madeKey,
  ForgottenMail: forgottenMail,
  RemovedCaller: removedCaller,
  AuditEntry: auditEntry,
  AuditPage: auditPage,
  Health: health,
  HealthDetails: healthDetails,
  DoctorState: doctorState,
  DoctorReport: doctorReport,
  TestMailReport: testMailReport,
  MailEvent: mailEvent,
  RecipientNews: recipientNews,
  CallerEvent: callerEvent,
  CredentialEvent: credentialEvent,
};

type DeepReadonly<Value> = Value extends object
  ? { readonly [Key in keyof Value]: DeepReadonly<Value[Key]> }
  : Value;

/** Accepts a type of the relay only if its schema has each of its fields, and allows whatever the relay can put there. */
type Follows<
  Actual extends DeepReadonly<z.output<Schema>> &
    Record<Exclude<keyof Actual, keyof z.output<Schema>>, never>,
  Schema extends z.ZodType,
> = [Actual, Schema];

/** @public The comparison of the compiler: nothing imports it. */
export type Compared = [
  Follows<Problem, typeof fieldProblem>,
  Follows<ErrorReport, typeof reason>,
  Follows<DryRun & { readonly dryRun: true }, typeof dryRun>,
  Follows<OwnCaller, typeof ownCaller>,
  Follows<MadeKey, typeof madeKey>,
  Follows<Awaited<ReturnType<typeof forgetMail>>, typeof forgottenMail>,
  Follows<RemovedCaller, typeof removedCaller>,
  Follows<AuditEntry, typeof auditEntry>,
  Follows<SettingsReport & z.output<typeof health> & { readonly time: string }, typeof healthDetails>,
  Follows<DoctorReport, typeof doctorReport>,
  Follows<
    Omit<TestMailReport, 'state'> & Pick<z.output<typeof testMailReport>, 'state'>,
    typeof testMailReport
  >,
  Follows<DeliveryStatus, typeof traced>,
  Follows<ToldDelivery, typeof delivery>,
  Follows<CallerEvent, typeof callerEvent>,
  Follows<CredentialEvent, typeof credentialEvent>,
  Follows<MailEvent, typeof mailEvent>,
];
