import packageJson from '../../package.json' with { type: 'json' };
import { catalogue, type ErrorCode } from '../../src/lib/error-catalogue.ts';
import { eventExamples } from './examples.ts';
import { type JsonSchema, refTo, toldBy } from './json-schema.ts';
import { type Access, type Body, OPERATIONS, type Operation, type Response } from './operations.ts';
import { requestSchemas } from './request-schemas.ts';
import { responseSchemas } from './response-schemas.ts';

type Part = Readonly<Record<string, unknown>>;

const SECURITY: Readonly<Record<Access, readonly Part[]>> = {
  'function-key': [{ functionKey: [] }],
  'key-or-token': [{ relayKey: [] }, { relayKeyAsBearer: [] }, { entraToken: [] }],
  'master-key': [{ masterKey: [] }],
  anyone: [],
};

const SECURITY_SCHEMES = {
  functionKey: {
    type: 'apiKey',
    in: 'header',
    name: 'x-functions-key',
    description:
      'A function key of the app. Azure checks it: with a wrong one, the response is a `401` with an empty body.',
  },
  relayKey: {
    type: 'apiKey',
    in: 'header',
    name: 'x-api-key',
    description: 'A key of the relay, which begins with `gmr_`. Send exactly one credential.',
  },
  relayKeyAsBearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'gmr_...',
    description: 'The same key in the header `Authorization`.',
  },
  entraToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'A token from Entra ID of an application or managed identity with the role Mail.Submit.',
  },
  masterKey: {
    type: 'apiKey',
    in: 'header',
    name: 'x-functions-key',
    description: 'The master key of the app, for operators.',
  },
};

const TAGS: readonly (readonly [tag: string, description: string])[] = [
  [
    'Send email with a key of the relay or a token',
    'For applications that an operator has declared as callers. A token from Entra ID needs no secret.',
  ],
  ['Send email with a function key', 'The same calls for function keys, which Azure checks.'],
  ['Operate: emails', 'For operators, with the master key: the emails of every caller.'],
  ['Operate: health', 'For operators and monitors.'],
  ['Operate: callers', 'For operators, with the master key: who can send what.'],
];

const STATUS_WORDS: Readonly<Record<number, string>> = {
  400: 'The request is invalid.',
  401: 'The caller is not known. If the body is empty, Azure does not know the function key.',
  403: 'The caller is not permitted to do this.',
  404: 'There is no such thing.',
  408: 'The request did not arrive in time.',
  409: 'Something else is in the way.',
  410: 'It was canceled.',
  413: 'The request or the email is too large.',
  415: 'The relay does not read this media type.',
  422: 'The request is valid, and the relay cannot do what it says.',
  429: 'The caller has reached its limit.',
  500: 'The relay or its settings have a fault. Without a problem in the body, the outcome is unknown.',
  502: 'An administrator must fix something. Without a problem in the body, the outcome is unknown.',
  503: 'The same request can succeed later, after `Retry-After` seconds.',
};

/** Azure itself responds so, in front of the relay. */
const OF_THE_HOST: Readonly<Record<Access, readonly number[]>> = {
  'function-key': [401],
  'key-or-token': [],
  'master-key': [401],
  anyone: [],
};

const PROBLEM_CONTENT = { 'application/problem+json': { schema: refTo('Problem') } };

const toProblemResponses = ({ problems, access }: Operation): Part => {
  const byStatus = Map.groupBy([...new Set(problems)], (code) => catalogue[code].status);
  const statuses = [...new Set([...byStatus.keys(), ...OF_THE_HOST[access]])].sort(
    (one, other) => one - other,
  );
  return Object.fromEntries(
    statuses.map((status) => {
      const codes = (byStatus.get(status) ?? []).toSorted();
      const isEmpty = codes.length === 0;
      return [
        status,
        {
          description: isEmpty
            ? 'Azure does not know the key. The body is empty.'
            : `${STATUS_WORDS[status]} Codes: ${codes.map((code) => `\`${code}\``).join(', ')}.`,
          ...(status === 503 || status === 429 || status === 409
            ? { headers: headersOf({ 'Retry-After': 'Seconds until the same request can succeed.' }) }
            : {}),
          ...(isEmpty ? {} : { content: PROBLEM_CONTENT }),
        },
      ];
    }),
  );
};

const headersOf = (headers: Readonly<Record<string, string>>): Part =>
  Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [name, { description, schema: { type: 'string' } }]),
  );

const toContent = (content: Readonly<Record<string, Body>>): Part =>
  Object.fromEntries(
    Object.entries(content).map(([type, { schema, examples }]) => [
      type,
      { schema, ...(examples === undefined ? {} : { examples }) },
    ]),
  );

const toResponse = ({ description, headers, content }: Response): Part => ({
  description,
  ...(headers === undefined ? {} : { headers: headersOf(headers) }),
  content: toContent(content),
});

const toOperation = (operation: Operation): Part => {
  const { id, tag, summary, description, access, parameters, body, responses } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: SECURITY[access],
    ...(parameters === undefined ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: toContent(body) } }),
    responses: {
      ...Object.fromEntries(Object.entries(responses).map(([status, one]) => [status, toResponse(one)])),
      ...toProblemResponses(operation),
    },
  };
};

const toPaths = (operations: readonly Operation[]): Part =>
  Object.fromEntries(
    [...Map.groupBy(operations, ({ path }) => path)].map(([path, ofPath]) => [
      path,
      Object.fromEntries(ofPath.map((operation) => [operation.method, toOperation(operation)])),
    ]),
  );

const toWebhook = (
  operationId: string,
  summary: string,
  schema: JsonSchema,
  examples: Body['examples'],
): Part => ({
  post: {
    operationId,
    tags: ['Events'],
    summary,
    security: [],
    requestBody: {
      required: true,
      content: toContent({ 'application/json': { schema, ...(examples === undefined ? {} : { examples }) } }),
    },
    responses: { '2XX': { description: 'The receiver has the event.' } },
  },
});

/** Every error of the catalogue, by its code. Its remedy is in the problem itself. */
const toCatalogue = (): Part =>
  Object.fromEntries(
    (Object.keys(catalogue) as ErrorCode[]).map((code) => {
      const { status, title, fixedBy } = catalogue[code];
      return [code, { status, title, fixedBy }];
    }),
  );

/** The OpenAPI document of the relay, made from the schemas that read requests and from the error catalogue. */
export const makeDocument = (): Part => ({
  openapi: '3.1.1',
  info: {
    title: 'Graph Mail Relay',
    version: packageJson.version,
    summary: 'Send email through Microsoft Graph, and find out what happened to it.',
    description:
      'Applications send an email with one request. Every response says what the relay has done, and every email has a status. Errors are problems (RFC 9457): in code, branch on `code`; show `title`, `remedy` and `problems` to people.',
    license: { name: packageJson.license, identifier: packageJson.license },
  },
  servers: [{ url: '/', description: 'The app that serves this document.' }],
  tags: [
    ...TAGS.map(([name, description]) => ({ name, description })),
    {
      name: 'Events',
      description:
        'What the relay tells other systems, with the setting `MAIL_EVENTS` to a queue, and with `MAIL_WEBHOOKS` as signed requests. Here in the schema of Event Grid; as CloudEvents, the same fields have other names.',
    },
  ],
  paths: toPaths(OPERATIONS),
  webhooks: {
    mailEvent: toWebhook('mailEvent', 'An email reached a final state', refTo('MailEvent'), {
      mail: eventExamples.mail,
    }),
    credentialEvent: toWebhook(
      'credentialEvent',
      'A credential needs attention',
      refTo('CredentialEvent'),
      undefined,
    ),
    callerEvent: toWebhook('callerEvent', 'A caller reached its daily limit', refTo('CallerEvent'), {
      caller: eventExamples.caller,
    }),
  },
  components: {
    securitySchemes: SECURITY_SCHEMES,
    schemas: {
      ...requestSchemas,
      ...toldBy(responseSchemas),
    },
  },
  'x-error-catalogue': toCatalogue(),
});

/** As it is kept in the repository. */
export const documentText = (): string => `${JSON.stringify(makeDocument(), null, 2)}\n`;
