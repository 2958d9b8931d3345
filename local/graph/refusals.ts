import { GraphError } from './graph-error.ts';

/*
 * Every refusal that concerns the call and not the email, in Graph's words. Messages are what people reported from live
 * tenants; Graph promises only the codes. What is wrong with an email itself stands in send-mail-rules.ts.
 */

const invalidToken = (message: string) =>
  new GraphError(401, 'InvalidAuthenticationToken', message, { 'WWW-Authenticate': 'Bearer realm=""' });

export const tokenMissing = () => invalidToken('Access token is empty.');
export const tokenMalformed = () => invalidToken('CompactToken parsing failed with error code: 80049217.');
export const tokenExpired = () => invalidToken('Lifetime validation failed, the token is expired.');
export const tokenSignatureInvalid = () =>
  invalidToken('Access token validation failure. Invalid signature.');
export const tokenAudienceInvalid = () => invalidToken('Access token validation failure. Invalid audience.');
export const tokenTenantInvalid = () => invalidToken('Access token validation failure. Invalid issuer.');

export const appUnknown = () =>
  new GraphError(
    401,
    'Authorization_IdentityNotFound',
    'The identity of the calling application could not be established.',
  );

export const accessDenied = () =>
  new GraphError(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');

export const mailboxUnknown = (user: string) =>
  new GraphError(404, 'ErrorInvalidUser', `The requested user '${user}' is invalid.`);

export const mailboxUnlicensed = () =>
  new GraphError(404, 'MailboxNotEnabledForRESTAPI', 'REST API is not yet supported for this mailbox.');

export const segmentUnknown = (segment: string) =>
  new GraphError(400, 'BadRequest', `Resource not found for the segment '${segment}'.`);

export const versionUnknown = (version: string) =>
  new GraphError(400, 'BadRequest', `Invalid version: ${version}.`);

export const meNeedsAPerson = () =>
  new GraphError(400, 'BadRequest', '/me request is only valid with delegated authentication flow.');

export const methodNotAllowed = (allowed: string) =>
  new GraphError(405, 'Request_BadRequest', 'Specified HTTP method is not allowed for the request target.', {
    Allow: allowed,
  });

export const contentTypeUnsupported = (received: string | undefined, expected = "'application/json'") =>
  new GraphError(
    415,
    'UnsupportedMediaType',
    `The content type ${received === undefined ? 'is missing' : `'${received}' is not supported`}; expected ${expected}.`,
  );

export const requestTooLarge = (limitBytes: number, receivedBytes: number) =>
  new GraphError(
    400,
    'BadRequest',
    `Maximum request length exceeded. The maximum request length supported is 4MB (here ${limitBytes} bytes); received ${receivedBytes} bytes.`,
  );

/** Documented as 413 for MIME; the page that comes with it is not Graph's own. */
export const mimeTooLarge = (limitBytes: number, receivedBytes: number) =>
  new GraphError(
    413,
    'RequestEntityTooLarge',
    `The MIME request has ${receivedBytes} bytes; the maximum is 4 MB (here ${limitBytes}).`,
    {},
    '<html><head><title>413 Request Entity Too Large</title></head><body>Request Entity Too Large</body></html>',
  );

/** Ids of drafts change when they are sent, and are gone after a deletion. */
export const itemNotFound = () =>
  new GraphError(
    404,
    'ErrorItemNotFound',
    'The specified object was not found in the store. An id is good only with the same Prefer: IdType as the request that gave it.',
  );

/** https://techcommunity.microsoft.com/blog/exchange/4505227: on drafts, Mail.ReadWrite goes on to be enough. */
export const sentItemFixed = () =>
  new GraphError(
    403,
    'ErrorAccessDenied',
    'Access is denied. Only a draft can be changed; a message that was sent needs Mail-Advanced.ReadWrite, which nobody has here.',
  );

export const lengthRequired = () =>
  new GraphError(411, 'LengthRequired', 'A request without a body needs Content-Length: 0.');

export const bodyUnexpected = () =>
  new GraphError(400, 'RequestBodyRead', 'This call takes no body; expected Content-Length: 0.');

export const messageTooLarge = (limitBytes: number) =>
  new GraphError(
    400,
    'ErrorMessageSizeExceeded',
    `The message exceeds the maximum supported size., Cannot save changes made to an item to store. (Here ${limitBytes} bytes of attachments: limits.messageBytes.)`,
  );

export const bodyUnreadable = (message: string) => new GraphError(400, 'RequestBodyRead', message);

/** `1` is what Outlook was seen to answer whatever the load. */
export const tooManyAtOnce = () =>
  new GraphError(429, 'ApplicationThrottled', 'Application is over its MailboxConcurrency limit.', {
    'Retry-After': '1',
    'RateLimit-Exceeded': 'MailboxConcurrency',
  });

export const tooManyMessages = (retryAfterSeconds: number) =>
  new GraphError(429, 'TooManyRequests', 'Please retry again later.', {
    'Retry-After': String(retryAfterSeconds),
  });

export const tooManyBytes = (retryAfterSeconds: number) =>
  new GraphError(
    429,
    'ApplicationThrottled',
    'Application is over its upload limit of 150 MB in 5 minutes.',
    {
      'Retry-After': String(retryAfterSeconds),
    },
  );
