import type { ErrorCode } from '../../src/lib/error-catalogue.ts';
import { EXAMPLE_ID, type Example, requestExamples, responseExamples } from './examples.ts';
import { type JsonSchema, refTo } from './json-schema.ts';
import { PROBLEMS, withKeyOrToken } from './problem-codes.ts';
import { searchFields, withDefaultInWords } from './request-schemas.ts';

type Parameter = {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly description: string;
  readonly schema: JsonSchema;
  readonly required?: true;
  readonly example?: string;
};

export type Body = { readonly schema: JsonSchema; readonly examples?: Readonly<Record<string, Example>> };

export type Response = {
  readonly description: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** By media type. */
  readonly content: Readonly<Record<string, Body>>;
};

/** Who can make a call. */
export type Access = 'function-key' | 'key-or-token' | 'master-key' | 'anyone';

export type Operation = {
  /** The name of the function, as `src/app.ts` registers it. */
  readonly id: string;
  readonly method: 'get' | 'post' | 'patch' | 'delete';
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: Access;
  readonly parameters?: readonly Parameter[];
  readonly body?: Readonly<Record<string, Body>>;
  readonly responses: Readonly<Record<number, Response>>;
  readonly problems: readonly ErrorCode[];
};

const text = (keywords: JsonSchema = {}): JsonSchema => ({ type: 'string', ...keywords });

const mailId: Parameter = {
  in: 'path',
  name: 'id',
  description: 'The id of the email.',
  schema: text({ format: 'uuid' }),
  required: true,
  example: EXAMPLE_ID,
};
const callerName: Parameter = {
  in: 'path',
  name: 'name',
  description: 'The name of the caller.',
  schema: text(),
  required: true,
  example: 'payroll',
};
const keyId: Parameter = {
  in: 'path',
  name: 'id',
  description: 'The public part of the key.',
  schema: text(),
  required: true,
};
const after: Parameter = {
  in: 'query',
  name: 'after',
  description: 'The `next` of the page before.',
  schema: text(),
};
const idempotencyKey: Parameter = {
  in: 'header',
  name: 'Idempotency-Key',
  description:
    'A text that means this one email. A repeated request with the same key does not create a second email.',
  schema: text({ minLength: 1, maxLength: 255, pattern: '^[!-~]+$' }),
};
const prefer: Parameter = {
  in: 'header',
  name: 'Prefer',
  description: '`respond-async`: the relay stores the email and responds without waiting for Graph.',
  schema: text(),
  example: 'respond-async',
};
const dryRun: Parameter = {
  in: 'query',
  name: 'dryRun',
  description: '`true`: the relay checks and plans the email, and sends nothing.',
  schema: { type: 'boolean' },
};
const withDelivery: Parameter = {
  in: 'query',
  name: 'delivery',
  description: '`true` also asks the message trace what happened to the email after Exchange accepted it.',
  schema: { type: 'boolean' },
};
const changedBy: Parameter = {
  in: 'header',
  name: 'x-changed-by',
  description: 'Who makes the change, percent-encoded, up to 100 characters. The audit trail keeps it.',
  schema: text(),
  example: 'Maria%20Rossi',
};
const ifMatch: Parameter = {
  in: 'header',
  name: 'If-Match',
  description:
    'The `ETag` of the caller that you read. If the caller has changed since, the relay changes nothing.',
  schema: text(),
};

const json = (
  name: string,
  examples?: Readonly<Record<string, Example>>,
): Readonly<Record<string, Body>> => ({
  'application/json': { schema: refTo(name), ...(examples === undefined ? {} : { examples }) },
});

const ok = (description: string, name: string, examples?: Readonly<Record<string, Example>>): Response => ({
  description,
  content: json(name, examples),
});

const withETag = (response: Response): Response => ({
  ...response,
  headers: { ETag: 'The revision of the caller, for `If-Match`.' },
});

const emailBody: Readonly<Record<string, Body>> = {
  'application/json': {
    schema: refTo('EmailOrMessage'),
    examples: requestExamples.sendMail,
  },
  'message/rfc822': {
    schema: text({ description: 'An email in MIME, byte for byte, with at most 3 MB.' }),
    examples: requestExamples.sendMailMime,
  },
};

const SEND = 'Send email';
const MAILS = 'Operate: emails';
const CALLERS = 'Operate: callers';
const HEALTH = 'Operate: health';

/** A call of applications, with a function key. */
type OfApplications = Omit<Operation, 'access' | 'tag'>;

const OF_APPLICATIONS: readonly OfApplications[] = [
  {
    id: 'sendMail',
    method: 'post',
    path: '/mail',
    summary: 'Send an email',
    description:
      'A `200` means that Graph accepted the email. A `202` means that the relay has the email and takes care of it: do not send it again. After a `5xx` that is not a problem, a timeout or a broken connection, the outcome is unknown: repeat the same request with the same `Idempotency-Key`.',
    // Without an example: tools fill it in beside the examples of the body, which have keys of their own.
    parameters: [
      dryRun,
      {
        ...idempotencyKey,
        description: `${idempotencyKey.description} Such as \`payslip-2026-11-1042\`. Instead of \`idempotencyKey\` in the email: two different keys are rejected.`,
      },
      prefer,
    ],
    body: emailBody,
    responses: {
      200: {
        description: 'Graph accepted the email, or a test environment kept it; or the plan of a dry run.',
        headers: { 'Idempotent-Replayed': '`true` if a request with this key was accepted before.' },
        content: json('SendResult', { sent: responseExamples.sent, planned: responseExamples.planned }),
      },
      202: {
        ...ok('The relay stored the email and takes care of it.', 'SendResult', {
          queued: responseExamples.queued,
          unknown: responseExamples.unknown,
        }),
        headers: {
          Location: 'Where the status is.',
          'Idempotent-Replayed': '`true` if a request with this key was accepted before.',
        },
      },
    },
    problems: PROBLEMS.sendMail,
  },
  {
    id: 'sendMailBatch',
    method: 'post',
    path: '/mail/batch',
    summary: 'Send up to 100 emails',
    description:
      'Each email has its own outcome, and can have its own `idempotencyKey`. The header `Idempotency-Key` is rejected.',
    parameters: [prefer],
    body: json('Batch', requestExamples.sendMailBatch),
    responses: {
      200: ok('The relay has every email.', 'BatchResults'),
      207: ok('Some emails were rejected: read the results.', 'BatchResults'),
    },
    problems: PROBLEMS.sendMailBatch,
  },
  {
    id: 'mailStatus',
    method: 'get',
    path: '/mail/{id}',
    summary: 'Get the status of an email',
    description: 'An email of another caller and an id that does not exist get the same `404`.',
    parameters: [mailId, withDelivery],
    responses: { 200: ok('What happened to the email.', 'MailStatus', { status: responseExamples.status }) },
    problems: PROBLEMS.mailStatus,
  },
  {
    id: 'cancelMail',
    method: 'delete',
    path: '/mail/{id}',
    summary: 'Cancel an email that waits',
    description: 'If repeated, the response is the same.',
    parameters: [mailId],
    responses: { 200: ok('The email, now `canceled`.', 'MailStatus') },
    problems: PROBLEMS.cancelMail,
  },
];

const withFunctionKey = (operation: OfApplications): Operation => ({
  ...operation,
  tag: `${SEND} with a function key`,
  path: `/api${operation.path}`,
  access: 'function-key',
});

const withKeyOfRelay = (operation: OfApplications): Operation => ({
  ...operation,
  tag: `${SEND} with a key of the relay or a token`,
  id: `${operation.id}V1`,
  path: `/api/v1${operation.path}`,
  access: 'key-or-token',
  problems: withKeyOrToken(operation.problems),
});

/** Every call that the document describes, in its order. */
export const OPERATIONS: readonly Operation[] = [
  ...OF_APPLICATIONS.map(withKeyOfRelay),
  {
    id: 'ownCallerV1',
    method: 'get',
    path: '/api/v1/caller',
    tag: `${SEND} with a key of the relay or a token`,
    summary: 'Get your own rules',
    access: 'key-or-token',
    responses: { 200: ok('What the caller is allowed to do.', 'OwnCaller') },
    problems: PROBLEMS.ownCaller,
  },
  ...OF_APPLICATIONS.map(withFunctionKey),
  {
    id: 'listMail',
    method: 'get',
    path: '/api/mail',
    tag: MAILS,
    summary: 'Find emails, or get any email',
    description:
      'Either a search, or `id`. An address and a key in a URL end up in logs: search for them with `POST /api/mail/search`.',
    access: 'master-key',
    parameters: [
      ...Object.entries(searchFields).map(([name, field]) => {
        const { description, ...schema } = withDefaultInWords(field);
        return { in: 'query' as const, name, description: String(description), schema };
      }),
      { in: 'query', name: 'id', description: 'Any email by its id.', schema: text({ format: 'uuid' }) },
      {
        in: 'query',
        name: 'content',
        description: 'With `id`: `true` also returns subject and recipients of a held email.',
        schema: { type: 'boolean' },
      },
      withDelivery,
    ],
    responses: {
      200: {
        description: 'A page of emails, newest first, or the email with this id.',
        content: {
          'application/json': { schema: { anyOf: [refTo('MailPage'), refTo('DeskMailStatus')] } },
        },
      },
    },
    problems: PROBLEMS.listMail,
  },
  {
    id: 'searchMail',
    method: 'post',
    path: '/api/mail/search',
    tag: MAILS,
    summary: 'Find emails without their data in the address',
    access: 'master-key',
    body: json('MailSearch', requestExamples.searchMail),
    responses: { 200: ok('A page of emails, newest first.', 'MailPage') },
    problems: PROBLEMS.searchMail,
  },
  {
    id: 'replayMail',
    method: 'post',
    path: '/api/mail/{id}/replay',
    tag: MAILS,
    summary: 'Send a held email again',
    access: 'master-key',
    parameters: [mailId],
    responses: { 202: ok('The email, now `queued`.', 'MailStatus') },
    problems: PROBLEMS.replayMail,
  },
  {
    id: 'closeMail',
    method: 'post',
    path: '/api/mail/{id}/close',
    tag: MAILS,
    summary: 'Close an email that is held or waits',
    access: 'master-key',
    parameters: [mailId],
    body: json('ClosingNote', requestExamples.closeMail),
    responses: { 200: ok('The email, now `closed`.', 'MailStatus') },
    problems: PROBLEMS.closeMail,
  },
  {
    id: 'forgetMail',
    method: 'post',
    path: '/api/mail/{id}/forget',
    tag: MAILS,
    summary: 'Delete everything that the relay keeps of an email',
    description:
      'Only of an email that has ended, some time after that. A request with its idempotency key would be a new email.',
    access: 'master-key',
    parameters: [mailId, changedBy],
    responses: { 200: ok('The relay keeps nothing of the email.', 'ForgottenMail') },
    problems: PROBLEMS.forgetMail,
  },
  {
    id: 'testMail',
    method: 'post',
    path: '/api/mail/test',
    tag: HEALTH,
    summary: 'Send a test email',
    description: 'A real email goes the way of every other one, and the response says how each step went.',
    access: 'master-key',
    parameters: [{ ...idempotencyKey, example: 'test-2026-11-26' }],
    body: json('TestMail', requestExamples.testMail),
    responses: {
      200: ok('The email was sent, or captured in a test environment.', 'TestMailReport'),
      202: ok('The email waits; `reason` says why.', 'TestMailReport'),
    },
    problems: PROBLEMS.testMail,
  },
  {
    id: 'doctor',
    method: 'get',
    path: '/api/doctor',
    tag: HEALTH,
    summary: 'Check the whole relay',
    description:
      'It takes 10 seconds at most. The status is 200 whatever the doctor finds: a monitor reads `state`.',
    access: 'master-key',
    responses: {
      200: {
        description: 'What the doctor found.',
        content: {
          ...json('DoctorReport'),
          'text/plain': { schema: text({ description: 'The same for people, with `Accept: text/plain`.' }) },
        },
      },
    },
    problems: PROBLEMS.doctor,
  },
  {
    id: 'metrics',
    method: 'get',
    path: '/api/metrics',
    tag: HEALTH,
    summary: 'Get metrics',
    description: 'For scrapers of Prometheus.',
    access: 'master-key',
    responses: {
      200: {
        description: 'The metrics of all instances.',
        content: {
          'text/plain': { schema: text({ description: 'The text format of Prometheus.' }) },
          'application/openmetrics-text': {
            schema: text({ description: 'OpenMetrics, if `Accept` asks for it.' }),
          },
        },
      },
    },
    problems: PROBLEMS.metrics,
  },
  {
    id: 'health',
    method: 'get',
    path: '/api/health',
    tag: HEALTH,
    summary: 'Say that the app runs',
    description: 'It does not check Entra, Graph or Key Vault.',
    access: 'anyone',
    responses: { 200: ok('The app runs.', 'Health') },
    problems: [],
  },
  {
    id: 'healthDetails',
    method: 'get',
    path: '/api/health/details',
    tag: HEALTH,
    summary: 'Name the settings that are invalid, and those of a test environment that are on',
    access: 'master-key',
    responses: { 200: ok('Names of settings, without their values.', 'HealthDetails') },
    problems: [],
  },
  {
    id: 'listCallers',
    method: 'get',
    path: '/api/callers',
    tag: CALLERS,
    summary: 'List callers',
    access: 'master-key',
    responses: { 200: ok('All callers by name; those that exist by themselves come first.', 'CallerList') },
    problems: PROBLEMS.listCallers,
  },
  {
    id: 'addCaller',
    method: 'post',
    path: '/api/callers',
    tag: CALLERS,
    summary: 'Add a caller',
    description: 'The response is the only one that has the key.',
    access: 'master-key',
    parameters: [changedBy],
    body: json('CallerDefinition', requestExamples.addCaller),
    responses: { 201: withETag(ok('The caller, and its key.', 'AddedCaller')) },
    problems: PROBLEMS.addCaller,
  },
  {
    id: 'showCaller',
    method: 'get',
    path: '/api/callers/{name}',
    tag: CALLERS,
    summary: 'Get a caller',
    access: 'master-key',
    parameters: [callerName],
    responses: { 200: withETag(ok('The caller.', 'Caller')) },
    problems: PROBLEMS.showCaller,
  },
  {
    id: 'changeCaller',
    method: 'patch',
    path: '/api/callers/{name}',
    tag: CALLERS,
    summary: 'Change, disable or enable a caller',
    access: 'master-key',
    parameters: [callerName, changedBy, ifMatch],
    body: json('CallerChange', requestExamples.changeCaller),
    responses: { 200: withETag(ok('The caller after the change.', 'Caller')) },
    problems: PROBLEMS.changeCaller,
  },
  {
    id: 'removeCaller',
    method: 'delete',
    path: '/api/callers/{name}',
    tag: CALLERS,
    summary: 'Remove a caller with its keys',
    access: 'master-key',
    parameters: [callerName, changedBy],
    responses: { 200: ok('The caller no longer exists.', 'RemovedCaller') },
    problems: PROBLEMS.removeCaller,
  },
  {
    id: 'makeCallerKey',
    method: 'post',
    path: '/api/callers/{name}/keys',
    tag: CALLERS,
    summary: 'Make a key of a caller',
    description: 'A caller can have two keys. The response is the only one that has the new one.',
    access: 'master-key',
    parameters: [callerName, changedBy],
    responses: { 201: ok('The key.', 'MadeKey') },
    problems: PROBLEMS.makeCallerKey,
  },
  {
    id: 'revokeCallerKey',
    method: 'delete',
    path: '/api/callers/{name}/keys/{id}',
    tag: CALLERS,
    summary: 'Revoke a key of a caller',
    access: 'master-key',
    parameters: [callerName, keyId, changedBy],
    responses: { 200: withETag(ok('The caller without the key.', 'Caller')) },
    problems: PROBLEMS.revokeCallerKey,
  },
  {
    id: 'listAudit',
    method: 'get',
    path: '/api/audit',
    tag: CALLERS,
    summary: 'List the changes of callers',
    access: 'master-key',
    parameters: [{ in: 'query', name: 'caller', description: 'Of this caller only.', schema: text() }, after],
    responses: { 200: ok('A page of changes, newest first.', 'AuditPage') },
    problems: PROBLEMS.listAudit,
  },
];

/** Functions with an address that the document does not describe: pages for people, and Mailpit's API, which Mailpit describes. */
export const NOT_DESCRIBED = ['inboxPage', 'inboxApi', 'inboxView', 'operatorPage', 'openApi', 'apiDocs'];
