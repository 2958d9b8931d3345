/**
 * Every error the relay can answer with or hold a mail for. `docs/errors.md` is written from this table,
 * and a test keeps the two in step. Codes never change; wording may.
 *
 * `fixedBy` says who can end the problem: `caller` changes the request, `administrator` changes the set-up,
 * `time` means the same request can succeed later.
 */
export type FixedBy = 'caller' | 'administrator' | 'time';

export type CatalogueEntry = {
  readonly status: number;
  readonly title: string;
  readonly fixedBy: FixedBy;
  readonly remedy: string;
};

const entry = (status: number, fixedBy: FixedBy, title: string, remedy: string): CatalogueEntry => ({
  status,
  title,
  fixedBy,
  remedy,
});

export const catalogue = {
  // The request as a whole
  MAIL_INVALID: entry(
    400,
    'caller',
    'The mail has problems of several kinds',
    'Correct every field listed under `problems`; nothing was sent.',
  ),
  CONTENT_TYPE_UNSUPPORTED: entry(
    415,
    'caller',
    'The request is not JSON in UTF-8',
    'Send JSON with the header `Content-Type: application/json`; `detail` says what came instead.',
  ),
  CONTENT_ENCODING_UNSUPPORTED: entry(
    415,
    'caller',
    'The request is compressed',
    'Send the JSON as it is: switch the compression of requests off in your HTTP client, and leave the header `Content-Encoding` out.',
  ),
  JSON_UNREADABLE: entry(
    400,
    'caller',
    'The text is not JSON in UTF-8',
    'Send one JSON object, encoded as UTF-8. Let a JSON library write it instead of joining strings.',
  ),
  MAIL_TOO_LARGE: entry(
    413,
    'caller',
    'The mail is too large',
    'Make the attachments smaller: one request to Graph carries 4 MB, in which a file grows by a third (about 2.9 MB of files). Or send a link instead of the file.',
  ),

  REQUEST_TOO_LARGE: entry(
    413,
    'caller',
    'The request is too large for this call',
    'Send only what this call asks for; `detail` says how many bytes it takes.',
  ),

  // Single fields
  FIELD_UNKNOWN: entry(
    400,
    'caller',
    'A field is not part of the mail contract',
    'Remove the field or correct its name. Unknown fields are refused, so that nothing you meant is dropped silently.',
  ),
  FIELD_REPEATED: entry(
    400,
    'caller',
    'A field or header is given twice',
    'Give it once. Of two fields with one name most readers drop one, and nobody can say which you meant; capitals make no other header.',
  ),
  FIELD_INVALID: entry(
    400,
    'caller',
    'A field has the wrong type or value',
    'Change the field to what `expected` says.',
  ),
  RECIPIENT_MISSING: entry(
    400,
    'caller',
    'The mail has no recipient',
    'Name at least one recipient in `to`, `cc` or `bcc`.',
  ),
  RECIPIENTS_TOO_MANY: entry(
    400,
    'caller',
    'The mail has more than 500 recipients',
    'Split it into several mails, or send to a distribution group. Exchange accepts 500 recipients in a mail, to, cc and bcc together.',
  ),
  ADDRESS_INVALID: entry(
    400,
    'caller',
    'An address is malformed',
    'Write `name@example.com`, `Name <name@example.com>` or `{ "name": "...", "address": "..." }`, with commas or semicolons between several; put a name that contains one in double quotes. With several addresses in one text, `received` says which is wrong. Not carried: quoted mailbox names, IP addresses for a domain, invisible or unassigned characters, signs that only look like @ or a dot.',
  ),
  BODY_MISSING: entry(
    400,
    'caller',
    'The mail has neither text nor html',
    'Give the body as `text` or as `html`.',
  ),
  BODY_TEXT_AND_HTML: entry(
    400,
    'caller',
    'Text and html together cannot be sent yet',
    'Send only one of them. Graph carries one body in a JSON mail; recipients without HTML see the text Exchange makes of the HTML.',
  ),
  LINE_BREAK_NOT_ALLOWED: entry(
    400,
    'caller',
    'A value that becomes a mail header has a line break or control character',
    'Remove carriage returns, line feeds and other control characters from the value.',
  ),
  TEXT_MALFORMED: entry(
    400,
    'caller',
    'A text is not well-formed Unicode',
    'A character outside the basic plane was cut in half (a lone surrogate). Cut texts between characters.',
  ),
  CHARACTER_NOT_ALLOWED: entry(
    400,
    'caller',
    'A text has a character that mail cannot carry',
    'Remove it: control characters other than tab and line breaks, U+FFFE and U+FFFF everywhere; characters that turn the direction of writing in names of people and files, and invisible ones in names of files, which they make look like others.',
  ),
  BASE64_INVALID: entry(
    400,
    'caller',
    'The content of an attachment is not base64',
    'Encode the bytes of the file once, as standard base64 with padding; `expected` says what is wrong with what came. Line breaks in it do no harm.',
  ),
  CID_UNUSED: entry(
    400,
    'caller',
    'The html does not show the attachment with this `cid`',
    'Show it, as in `<img src="cid:logo">` or CSS `url(cid:logo)`, or leave `cid` out: mail clients hide a file with a content id that nothing shows. A link, a comment, a script or an attribute such as `alt` or `data-src` shows nothing.',
  ),
  CID_REPEATED: entry(
    400,
    'caller',
    'Two attachments have the same `cid`',
    'Give each its own, or send the file once: the html can refer to one file several times. Capitals make no difference.',
  ),
  HEADER_NOT_CARRIED: entry(
    400,
    'caller',
    'A header cannot be carried',
    'Graph carries only headers whose names begin with `x-`; use the fields of the mail contract for everything else. Those by which Exchange and Outlook speak to each other (`x-ms-` except `x-ms-reactions`, `x-microsoft`, `x-forefront`, `x-originating-ip`, `x-originatororg` and such) are not for callers; `x-auto-response-suppress`, `x-priority` and names of your own are.',
  ),
  HEADERS_TOO_MANY: entry(
    400,
    'caller',
    'The mail has more than five headers',
    'Leave headers out or join their values: Graph carries five.',
  ),

  // Policy of this relay
  CALLER_UNKNOWN: entry(
    401,
    'caller',
    'The relay cannot tell who calls',
    'Send a function key in the header `x-functions-key`. Without one, all callers would share their mails and keys.',
  ),
  SENDER_NOT_ALLOWED: entry(
    403,
    'administrator',
    'This sender is not on the allow-list',
    'Leave `from` out to use the default sender, or have the address (or `*@domain`) added to the setting MAIL_ALLOWED_SENDERS.',
  ),
  MAIL_DISABLED: entry(
    503,
    'administrator',
    'Sending is switched off',
    'Nothing was accepted; it is safe to send again later. An administrator switches sending on with the setting MAIL_ENABLED=true. Mail already queued waits until then.',
  ),
  SETTINGS_INVALID: entry(
    500,
    'administrator',
    'Settings of the relay are missing or wrong',
    'Correct the app settings listed under `problems`, then restart the app. Mail already queued waits until then.',
  ),

  // The credential
  SECRET_NOT_FOUND: entry(
    502,
    'administrator',
    'The client secret is not in the vault',
    'Store it from a file that only you can read, so that it does not stay in the history of the shell: az keyvault secret set --vault-name <vault> --name <CLIENT_SECRET_NAME> --file <file> --expires <date>. Then delete the file.',
  ),
  SECRET_DISABLED: entry(
    502,
    'administrator',
    'The client secret is disabled in the vault',
    'Enable it: az keyvault secret set-attributes --vault-name <vault> --name <CLIENT_SECRET_NAME> --enabled true',
  ),
  SECRET_NOT_YET_VALID: entry(
    502,
    'administrator',
    'The client secret in the vault is not valid yet',
    'Its start date is in the future, and no earlier version can be used. Correct the date: az keyvault secret set-attributes --vault-name <vault> --name <CLIENT_SECRET_NAME> --not-before <date>',
  ),
  SECRET_EXPIRED_IN_VAULT: entry(
    502,
    'administrator',
    'The client secret has expired in the vault',
    'Store a new one with its expiry date: az ad app credential reset --id <ENTRA_CLIENT_ID> --append, then az keyvault secret set --vault-name <vault> --name <CLIENT_SECRET_NAME> --value <secret> --expires <date>',
  ),
  VAULT_ACCESS_DENIED: entry(
    502,
    'administrator',
    'The vault refuses the identity of the relay',
    'Give the managed identity of the app the role Key Vault Secrets User on the vault, and let the app through the firewall of the vault.',
  ),
  VAULT_UNREACHABLE: entry(
    503,
    'time',
    'The vault cannot be reached',
    'The relay tries again by itself. If it lasts, check KEY_VAULT_URL, DNS and the network of the vault.',
  ),
  IDENTITY_UNAVAILABLE: entry(
    502,
    'administrator',
    'The managed identity gives no token',
    'Assign the user-assigned identity to the app and set AZURE_CLIENT_ID to its client id.',
  ),
  CLIENT_SECRET_WRONG: entry(
    502,
    'administrator',
    'Entra says the client secret is wrong',
    'Store the Value of the secret in the vault, not its Secret ID. A new secret can take a minute to work. (AADSTS7000215)',
  ),
  CLIENT_SECRET_TOO_NEW: entry(
    503,
    'time',
    'Entra does not know the new client secret yet',
    'The relay tries again by itself: a new secret takes some seconds, rarely more than a minute, to be known everywhere. If it lasts for more than two minutes, it is reported as CLIENT_SECRET_WRONG. (AADSTS7000215)',
  ),
  CLIENT_SECRET_EXPIRED: entry(
    502,
    'administrator',
    'The client secret has expired',
    'Make a new one and store it: az ad app credential reset --id <ENTRA_CLIENT_ID> --append, then az keyvault secret set --file with its expiry date. No restart is needed. (AADSTS7000222)',
  ),
  TENANT_UNKNOWN: entry(
    502,
    'administrator',
    'Entra does not know this tenant',
    'Set ENTRA_TENANT_ID to the Directory (tenant) ID on the Overview page of the app registration; check ENTRA_AUTHORITY for national clouds. (AADSTS90002, AADSTS900023)',
  ),
  APP_UNKNOWN: entry(
    502,
    'administrator',
    'Entra does not know this application, or it is disabled',
    'Set ENTRA_CLIENT_ID to the Application (client) ID of a registration in this tenant, and see that its enterprise application is enabled. (AADSTS700016, AADSTS7000112)',
  ),
  TOKEN_REFUSED: entry(
    502,
    'administrator',
    'Entra refuses a token',
    'Look up `upstreamCode`, an AADSTS number, at https://login.microsoftonline.com/error; Conditional Access for workload identities is a frequent cause.',
  ),
  ENTRA_UNREACHABLE: entry(
    503,
    'time',
    'Entra cannot be reached',
    'The relay tries again by itself. If it lasts, check ENTRA_AUTHORITY, DNS and outbound network rules.',
  ),

  // What Graph and Exchange answer
  GRAPH_TOKEN_NOT_ACCEPTED: entry(
    502,
    'administrator',
    'Graph does not accept the token Entra gave',
    'Check that GRAPH_ENDPOINT and ENTRA_AUTHORITY belong to the same cloud.',
  ),
  MAILBOX_NOT_FOUND: entry(
    422,
    'administrator',
    'The sender has no mailbox in Exchange Online',
    'Check the address (primary or proxy address of a mailbox), and that the mailbox is licensed or shared and not on-premises.',
  ),
  MAILBOX_OUT_OF_SCOPE: entry(
    502,
    'administrator',
    'The relay may not send from this mailbox',
    'Check with Test-ServicePrincipalAuthorization -Identity <app> -Resource <mailbox>. False: add the mailbox to the management scope of the role Application Mail.Send. No row: assign that role, or consent to the application permission Mail.Send. Changes take 30 minutes to 2 hours.',
  ),
  PERMISSION_NOT_GRANTED: entry(
    502,
    'administrator',
    'A permission of the app registration is not granted',
    'Grant admin consent to the application permission Mail.Send (not the delegated one): az ad app permission admin-consent --id <ENTRA_CLIENT_ID>',
  ),
  SEND_AS_DENIED: entry(
    502,
    'administrator',
    'The mailbox may not send as this sender',
    'Use the address of the mailbox itself as `from`, or grant it: Add-RecipientPermission <from> -Trustee <mailbox> -AccessRights SendAs',
  ),
  RECIPIENT_REFUSED: entry(
    422,
    'caller',
    'Exchange refuses a recipient',
    'Check the addresses for typing errors, and that each still has a mailbox.',
  ),
  MAIL_TOO_LARGE_FOR_MAILBOX: entry(
    413,
    'caller',
    'Exchange refuses the size of the mail',
    'Make the attachments smaller, or have the message size limit of the sender mailbox raised.',
  ),
  MAILBOX_FULL: entry(
    502,
    'administrator',
    'The sender mailbox is full',
    'Empty it or give it a retention policy: every mail is kept in Sent Items unless `saveToSentItems` is false.',
  ),
  MAILBOX_QUOTA_REACHED: entry(
    503,
    'time',
    'The sender mailbox has reached a sending limit of Exchange',
    'The relay tries again by itself. Exchange allows 10,000 recipients in 24 hours for a mailbox; spread large mailings over several senders.',
  ),
  MAILBOX_BLOCKED: entry(
    502,
    'administrator',
    'Exchange has blocked this sender',
    'See https://security.microsoft.com/restrictedentities, find out why it was blocked, and unblock it there.',
  ),
  GRAPH_REFUSED: entry(
    502,
    'administrator',
    'Graph refuses the mail',
    'Look up `upstreamCode`; quote `graphRequestId` when you ask Microsoft.',
  ),
  GRAPH_ANSWER_UNEXPECTED: entry(
    502,
    'administrator',
    'Graph answered with something other than 202',
    'Nothing counts as sent but an exact 202. Check that GRAPH_ENDPOINT names Graph and no proxy answers in its place.',
  ),
  GRAPH_THROTTLED: entry(
    503,
    'time',
    'Graph limits this mailbox for a while',
    'The relay waits as long as Graph asks, at most an hour at a time, and tries again by itself.',
  ),
  MAILBOX_BOOKED_UP: entry(
    503,
    'time',
    'More mails wait for this mailbox than it can send in time',
    'Nothing was accepted; it is safe to send again later. Exchange lets a mailbox send 30 mails a minute: spread large mailings over several senders or over time.',
  ),
  GRAPH_UNAVAILABLE: entry(503, 'time', 'Graph is not available', 'The relay tries again by itself.'),
  GRAPH_UNREACHABLE: entry(
    503,
    'time',
    'Graph cannot be reached',
    'The relay tries again by itself. If it lasts, check GRAPH_ENDPOINT, DNS and outbound network rules.',
  ),
  OUTCOME_UNKNOWN: entry(
    502,
    'administrator',
    'It is not known whether Graph sent the mail',
    'Look in the Sent Items of the sender. If it is not there, replay it: npm run mail -- replay <id>. If it is, close it: npm run mail -- close <id> --note "found in Sent Items".',
  ),
  GIVEN_UP: entry(
    503,
    'administrator',
    'The mail could not be sent within the time allowed',
    'See the last reason, mend it, then replay the mail: npm run mail -- replay <id>. The time is the setting MAIL_GIVE_UP_HOURS.',
  ),

  // Accepted before
  IDEMPOTENCY_KEY_REUSED: entry(
    422,
    'caller',
    'The idempotency key belongs to another mail',
    'Use a new key for every mail, and the same key only to repeat a request unchanged.',
  ),
  IDEMPOTENCY_KEY_INVALID: entry(
    400,
    'caller',
    'The idempotency key is malformed',
    'Give 1 to 255 printable ASCII characters without blanks in the header Idempotency-Key or the field `idempotencyKey`, and the same ones in both if you give both. An empty header is no key: leave it out.',
  ),
  MAIL_UNDER_WAY: entry(
    409,
    'time',
    'The mail with this idempotency key is being sent at this moment',
    'Repeat the request after the time in Retry-After; you then get the answer to the first.',
  ),
  MAIL_NOT_FOUND: entry(
    404,
    'caller',
    'There is no such mail',
    'Check the id, and that you ask with the same key the mail was sent with. Mails are remembered for MAIL_LEDGER_DAYS days.',
  ),
  MAIL_NOT_HELD: entry(
    409,
    'caller',
    'The mail is not held',
    'Only a mail that is held can be replayed or closed. See its state.',
  ),
  QUERY_INVALID: entry(
    400,
    'caller',
    'The query is not one this address knows',
    'Ask with the parameters that `detail` names.',
  ),
  NOTE_MISSING: entry(
    400,
    'caller',
    'A note is required',
    'Send `{ "note": "..." }`, 1 to 500 characters: why the mail is closed. `detail` says what came instead.',
  ),
  MAIL_LOST: entry(
    500,
    'administrator',
    'The queue message of this mail is gone',
    'Its message was deleted, or the process that should have written it died before it could answer. If no caller was told the mail was accepted, nothing is owed; else send it again from the application.',
  ),

  ATTEMPT_LOST: entry(
    500,
    'administrator',
    'An attempt to send began, and its end was never seen',
    'Look in the Sent Items of the sender. If the mail is not there, send it again from the application; then close this one.',
  ),

  // Queue and storage
  MESSAGE_UNREADABLE: entry(
    400,
    'caller',
    'A queue message is not a mail',
    'Put the mail on the queue as one JSON object, as it is or base64-encoded, at most 64 KiB as stored.',
  ),
  PAYLOAD_MISSING: entry(
    500,
    'administrator',
    'The stored content of a queued mail is gone',
    'Something other than the relay deleted the blob. Send the mail again from the application.',
  ),
  HOST_GAVE_UP: entry(
    500,
    'administrator',
    'The functions host gave up on a queue message',
    'Processing it failed several times, as after a crash. See the exceptions of deliverMail in the log; whether the mail was sent must be looked up in Sent Items.',
  ),
  MAIL_NOT_STORED: entry(
    503,
    'time',
    'The mail could not be stored',
    'Nothing was accepted; it is safe to send again.',
  ),
  STORAGE_UNAVAILABLE: entry(
    503,
    'time',
    'Storage cannot be reached',
    'Repeat the same request later. This says nothing of the mail itself: do not send it again under another key.',
  ),
  UNEXPECTED: entry(
    500,
    'administrator',
    'Something unforeseen went wrong in the relay',
    'Look up the exception in the log by the invocation that `instance` names, and report it.',
  ),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof catalogue;
