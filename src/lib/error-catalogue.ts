/**
 * Every error the relay can return or hold an email for. `docs/errors.md` is written from this table,
 * and a test keeps the two in step. Codes never change; wording can.
 *
 * `fixedBy` says who can fix the problem: `caller` changes the request, `administrator` changes the setup,
 * `time` means that the same request can succeed later.
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

/**
 * Creates a client secret and stores it, without showing it, with a role on the vault for as long as that takes: no secret is
 * ever on a command line.
 */
const STORE = 'infra/deploy.sh --resource-group <group> --renew-secret credential';
/** Adds the certificate of the vault to the registration, beside those that it has. */
const REGISTER =
  'az ad app credential reset --id <ENTRA_CLIENT_ID> --cert <CLIENT_CERTIFICATE_NAME> --keyvault <vault> --append';
/** Entra accepts every value here, and compares all three only when a token is requested. */
const FEDERATE =
  'az ad app federated-credential list --id <ENTRA_CLIENT_ID> shows what is registered. Delete the wrong one, and add the identity: ' +
  'az ad app federated-credential create --id <ENTRA_CLIENT_ID> --parameters ' +
  '\'{"name":"mail-relay","issuer":"https://login.microsoftonline.com/<tenant id>/v2.0","subject":"<principal id of the identity>","audiences":["api://AzureADTokenExchange"]}\'';

export const catalogue = {
  // The request as a whole
  MAIL_INVALID: entry(
    400,
    'caller',
    'The email has several kinds of problems',
    'Correct every field listed in `problems`. Nothing was sent.',
  ),
  FACADE_FIELD_NOT_CARRIED: entry(
    400,
    'caller',
    'The relay cannot do what a field asks for',
    'The fields are listed with what is possible instead. Change the request, or send this email with the provider. Nothing was sent.',
  ),
  FACADE_CALL_UNKNOWN: entry(
    404,
    'caller',
    'The relay does not have this call of the API',
    'Use the calls that are listed for this provider in docs/facades.md. Nothing was sent.',
  ),
  PARTLY_ACCEPTED: entry(
    500,
    'administrator',
    'Storage failed after some emails of the request were accepted',
    'Do not repeat the whole request: the emails whose ids are in `detail` are sent. Send only the others again.',
  ),
  CONTENT_TYPE_UNSUPPORTED: entry(
    415,
    'caller',
    'The request is not JSON in UTF-8',
    'Send JSON with the header `Content-Type: application/json`, or, to `POST /api/mail`, an email in MIME with `message/rfc822`. `detail` says what the relay received instead.',
  ),
  CONTENT_ENCODING_UNSUPPORTED: entry(
    415,
    'caller',
    'The request is compressed',
    'Send plain JSON: switch off request compression in your HTTP client and omit the header `Content-Encoding`.',
  ),
  JSON_UNREADABLE: entry(
    400,
    'caller',
    'The content is not valid JSON in UTF-8',
    'Send one JSON object, encoded as UTF-8. Build it with a JSON library instead of joining strings.',
  ),
  MAIL_TOO_LARGE: entry(
    413,
    'caller',
    'The email is too large',
    'Make the attachments smaller, send a link instead of the file, or ask an administrator for the setting MAIL_LARGE_ATTACHMENTS, which allows files of up to 150 MB. Without it, an email is one request to Graph, which carries 4 MB; base64 makes a file a third larger, so the files of one email can have about 2.9 MB. If the email goes as MIME, it is encoded twice, and they can have about 2.1 MB.',
  ),
  ATTACHMENT_NOT_FOUND: entry(
    422,
    'caller',
    'A blob that the email names as an attachment is not there',
    'Upload the file to the container `mail-attachments` first, and give in `blob` its name within the container. Leave the blob unchanged until the email is sent; for another version, use another name.',
  ),

  REQUEST_TOO_LARGE: entry(
    413,
    'caller',
    'The request is too large for this call',
    'Send only what this call asks for; `detail` says how many bytes it takes. Divide a batch into several requests.',
  ),

  REQUEST_TOO_SLOW: entry(
    408,
    'caller',
    'The request did not arrive within two minutes',
    'Nothing was accepted. Send the request again, over a faster connection or with smaller attachments. For large files, upload them to storage and name them in the email (`attachments[].blob`).',
  ),

  BATCH_INVALID: entry(
    400,
    'caller',
    'The batch is empty, too large or not a list of emails',
    'Send `{ "mails": [ ... ] }` with 1 to 100 emails. `detail` says what the relay received instead. Nothing was sent.',
  ),
  MIME_INCOMPLETE: entry(
    400,
    'caller',
    'The request ended before the email was complete',
    'Send the whole email in one request. Nothing was sent.',
  ),

  // Single fields
  FIELD_UNKNOWN: entry(
    400,
    'caller',
    'The email has a field that the relay does not know',
    'Remove the field or correct its name. The relay rejects unknown fields so that it never drops one silently.',
  ),
  SEND_AT_INVALID: entry(
    400,
    'caller',
    'The relay cannot send the email at the requested time',
    'Write the time in ISO 8601 with its offset from UTC, such as 2026-12-01T09:00:00+01:00, at most 30 days ahead. To send immediately, omit `sendAt`.',
  ),
  FIELD_REPEATED: entry(
    400,
    'caller',
    'A field or header appears twice',
    'Send it once. JSON parsers usually keep only one of two fields with the same name, so the relay cannot know which one you meant. Header names that differ only in case are the same header.',
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
    'The email has no recipient',
    'Give at least one recipient in `to`, `cc` or `bcc`.',
  ),
  RECIPIENTS_TOO_MANY: entry(
    400,
    'caller',
    'The email has more than 500 recipients',
    'Split it into several emails, or send it to a distribution group. Exchange accepts at most 500 recipients per email in to, cc and bcc together.',
  ),
  ADDRESS_INVALID: entry(
    400,
    'caller',
    'An address is malformed',
    'Write `name@example.com`, `Name <name@example.com>` or `{ "name": "...", "address": "..." }`. Separate several addresses with commas or semicolons, and put a name that contains one of these in double quotes. If one text has several addresses, `received` says which is wrong. The relay does not accept quoted local parts, IP addresses as domains, invisible or unassigned characters, or characters that only look like @ or a dot.',
  ),
  BODY_MISSING: entry(
    400,
    'caller',
    'The email has neither text nor html',
    'Give the body as `text` or as `html`.',
  ),
  // Held emails of earlier versions have it; nothing returns it now.
  BODY_TEXT_AND_HTML: entry(
    400,
    'caller',
    'An earlier version of the relay could not send text and html together',
    'Send the email again, or replay it if it is held. This version sends both.',
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
    'A character such as an emoji was cut in half, which leaves a lone surrogate. Cut texts between characters.',
  ),
  CHARACTER_NOT_ALLOWED: entry(
    400,
    'caller',
    'A text has a character that email cannot carry',
    'Remove the character. Not allowed anywhere: control characters other than tab and line breaks, U+FFFE and U+FFFF. Not allowed in names of people and files: characters that change the direction of writing. Not allowed in names of files: invisible characters. They can make one name look like another.',
  ),
  BASE64_INVALID: entry(
    400,
    'caller',
    'The content of an attachment is not base64',
    'Encode the bytes of the file once, as standard base64 with padding. `expected` says what is wrong. Line breaks are allowed.',
  ),
  CID_UNUSED: entry(
    400,
    'caller',
    'The html does not show the attachment with this content id',
    'Show it in the html, as in `<img src="cid:logo">` or CSS `url(cid:logo)`, or omit `cid`. Mail clients hide a file that has a content id and is not shown. A link, a comment, a script or an attribute such as `alt` or `data-src` does not show it.',
  ),
  CID_REPEATED: entry(
    400,
    'caller',
    'Two attachments have the same content id',
    'Give each file its own `cid`, or send the file once: the html can refer to one file several times. Upper and lower case make no difference.',
  ),
  HEADER_NOT_CARRIED: entry(
    400,
    'caller',
    'The email cannot have this header',
    'Use the field that `expected` names, or remove the header. The relay and mail servers write From, Date, Content-Type, Received, signatures and similar headers themselves. Exchange and Outlook use `x-ms-` (except `x-ms-reactions`), `x-microsoft`, `x-forefront`, `x-originating-ip`, `x-originatororg` and similar. `x-auto-response-suppress` takes DR, RN, NRN, OOF and AutoReply: NDR and All would also stop the reports that say that an email did not arrive.',
  ),
  HEADERS_TOO_MANY: entry(
    400,
    'caller',
    'The email has more than 50 headers',
    'Remove headers or combine their values.',
  ),
  MESSAGE_ID_INVALID: entry(
    400,
    'caller',
    'A message id is malformed',
    'Write message ids as they appear in the header of an email: `<left@right>`, where both sides are ASCII letters, digits, dots and the characters of RFC 5322. The angle brackets are optional. `references` takes at most 100 ids with 16,000 characters together, as a list or as one text.',
  ),
  CALENDAR_INVALID: entry(
    400,
    'caller',
    'The calendar object cannot arrive as an invitation',
    'Send in `ics` one VCALENDAR with VERSION:2.0, with the METHOD that `method` says and at least one event. Each event needs a UID; a REQUEST also needs ORGANIZER and DTSTART, and a CANCEL needs ORGANIZER. Build it with a calendar library.',
  ),
  SENT_ITEMS_COPY_NEEDED: entry(
    400,
    'caller',
    'Graph cannot send this email without a copy in Sent Items',
    'Omit `saveToSentItems`, or send the email without what `expected` names. Graph can omit the copy only of an email that fits one request in JSON: not of MIME, and not of a draft.',
  ),
  MIME_INVALID: entry(
    400,
    'caller',
    'The message in `mime` is malformed',
    'Build the message with a MIME library, and send its bytes unchanged. `expected` says what is wrong. The relay changes only line ends (to CRLF) and removes the headers of an earlier journey. It does not repair anything else, because mail servers on the way would reject the message or read it differently.',
  ),
  MIME_EXCLUDES_FIELD: entry(
    400,
    'caller',
    'The email has `mime` and another field',
    'Put everything into the message in `mime`, or send the email as fields without `mime`. Recipients, sender, subject, bodies, attachments and headers of a message are in the message itself.',
  ),

  LARGE_ATTACHMENTS_OFF: entry(
    422,
    'administrator',
    'Attachments in blobs are switched off',
    'Ask an administrator for the setting MAIL_LARGE_ATTACHMENTS=true, or put the file into the email as `content`. A file in a blob goes to Graph by way of a draft, which needs the permission Mail.ReadWrite.',
  ),

  // What is accepted, and may not arrive as it was asked for
  HEADER_MAY_BE_LOST: entry(
    200,
    'caller',
    'Recipients may not get a header',
    'Nothing to do if the header does not matter. Exchange removes `Auto-Submitted`, and users report that it does not pass on some headers that do not begin with `x-`. Users also report that a new header that begins with `x-` arrives only after it has been sent once as JSON from the same mailbox: send an email that has the header and nothing that needs MIME.',
  ),
  HEADER_REMOVED: entry(
    200,
    'caller',
    'The relay removed headers of the message in `mime`',
    'Nothing to do: these headers describe an earlier journey of the message, or belong to the relay or Exchange. A signature (DKIM) would be broken on the way; Exchange signs the email for its domain.',
  ),
  MESSAGE_ID_MAY_CHANGE: entry(
    200,
    'caller',
    'Exchange may replace the message id',
    'Do not depend on the id that you sent. If the status of the email shows `internetMessageId`, that is the id that recipients see.',
  ),
  MIME_SIZE_MAY_BE_REJECTED: entry(
    200,
    'administrator',
    'Graph may reject an email in MIME of this size',
    'Set MAIL_LARGE_ATTACHMENTS=true, so that the relay sends such emails as drafts, or make the email smaller. If Graph rejects the email, the relay says so: users report that Graph returned 200 and sent nothing, which the relay does not count as sent.',
  ),
  ATTACHMENT_TYPE_CHANGED: entry(
    200,
    'caller',
    'An attachment arrives with the type application/octet-stream',
    'Nothing to do if recipients save the file: its name and content arrive unchanged. In MIME, a file of a type message/... or multipart/... would become a part of the email itself. To keep the type, omit what needs MIME.',
  ),
  MAILBOX_LIMIT_MAY_BE_LOWER: entry(
    200,
    'administrator',
    'The email is larger than mailboxes allow by default',
    'Raise the message size limit of the sender mailbox (Set-Mailbox <mailbox> -MaxSendSize 150MB), and make sure that the recipients accept emails of this size. The default is 35 MB, including what the encoding adds.',
  ),

  // Policy of this relay
  CALLER_UNKNOWN: entry(
    401,
    'caller',
    'The relay cannot identify the caller',
    'Send one key: to `/api/v1/mail`, a key of the relay (`Authorization: Bearer gmr_...` or `x-api-key`) or a token from Entra ID; to `/api/mail`, a function key in the header `x-functions-key`. `detail` says what the relay received instead.',
  ),
  CREDENTIALS_AMBIGUOUS: entry(
    401,
    'caller',
    'The request has several keys',
    'Send exactly one key or token, in one header. With several, the relay would have to choose whose email this is.',
  ),
  KEY_NOT_ACCEPTED: entry(
    401,
    'caller',
    'The relay does not know this key',
    'The key is incomplete, was revoked, or belongs to another relay. Ask an administrator for a new one: `npm run callers -- rotate-key NAME`.',
  ),
  TOKEN_NOT_ACCEPTED: entry(
    401,
    'caller',
    'The relay does not accept the token from Entra ID',
    'Request a new app-only token for the scope `<client id of the relay>/.default` from the tenant of the relay. `detail` says what is wrong with this one.',
  ),
  ENTRA_KEYS_UNREACHABLE: entry(
    503,
    'time',
    'The relay cannot check the token, because it cannot reach Entra',
    'Nothing was accepted. Send the same request again after the time in `Retry-After`. If the problem lasts, an administrator checks ENTRA_AUTHORITY, DNS and outbound network rules. Keys of the relay work meanwhile.',
  ),
  TOKEN_ROLE_MISSING: entry(
    403,
    'administrator',
    'The token does not have the role Mail.Submit',
    'Assign the app role Mail.Submit of the registration of the relay to the application or managed identity, and request a new token. A token that was issued earlier does not have it.',
  ),
  CALLER_NOT_DECLARED: entry(
    403,
    'administrator',
    'No caller is declared for this application',
    'Declare the application as a caller, with its client ID: `npm run callers -- add NAME --sender ADDRESS --app CLIENT_ID`.',
  ),
  CALLER_DISABLED: entry(
    403,
    'administrator',
    'The caller is switched off',
    'Ask an administrator to switch it on again: `npm run callers -- enable NAME`. Emails that were held for this reason can be replayed then.',
  ),
  CALLER_REMOVED: entry(
    403,
    'administrator',
    'The caller of this email was removed',
    'The relay does not send for a caller that it does not know. Declare the caller again and replay the email, or close the email.',
  ),
  DOOR_NOT_ALLOWED: entry(
    403,
    'administrator',
    'The caller may not send in this way',
    'Send in the way that `detail` names, or ask an administrator to allow this one: `npm run callers -- limit NAME --door http --door queue`.',
  ),
  SENDER_NOT_ALLOWED: entry(
    403,
    'administrator',
    'This sender is not on the allow-list',
    'Omit `from` to use the default sender (in `mime`, write an allowed address in the header From), or ask an administrator to add the address (or `*@domain`) to the setting MAIL_ALLOWED_SENDERS and, for a declared caller, to its senders: `npm run callers -- limit NAME --add-sender ADDRESS`. A sender of another tenant or registration belongs in the senders of its connection (GRAPH_CONNECTION_<NAME>), not in MAIL_ALLOWED_SENDERS, which sends through the connection `main`; if its connection was removed, restore it.',
  ),
  SENDER_NOT_USABLE: entry(
    403,
    'administrator',
    'The relay cannot send as this address',
    'Ask an administrator, who sees the reason: `npm run mail -- show <id>`. A caller that may use every address of a domain is not told whether a mailbox exists.',
  ),
  RECIPIENT_NOT_ALLOWED: entry(
    403,
    'administrator',
    'The caller may not send to this recipient',
    'Remove the recipients that `problems` counts, or ask an administrator to allow them: `npm run callers -- limit NAME --add-recipient ADDRESS`. Nothing was sent.',
  ),
  PRIORITY_NOT_ALLOWED: entry(
    403,
    'administrator',
    'The caller has no priority as high as this',
    'Omit `priority`, or use one that `problems` names, or ask an administrator for a higher one: `npm run callers -- limit NAME --priority high`. Nothing was sent. An email from the queue is held; replayed, it is sent with the priority of its caller.',
  ),
  RECIPIENT_OUTSIDE_DOMAINS: entry(
    403,
    'administrator',
    'This environment does not send to this recipient, or would lead an answer to someone else',
    'The setting MAIL_RECIPIENT_DOMAINS keeps the emails of this environment, and answers to them, from everyone else. Use recipients within it; also in `replyTo`, among the people of an invitation, and in headers with addresses. Or ask an administrator to change the setting. Nothing was sent.',
  ),
  SAFETY_SWITCHED_OFF: entry(
    409,
    'administrator',
    'The email was accepted for a test environment, whose settings have changed since',
    'When the relay accepted it, MAIL_REDIRECT_TO, MAIL_CAPTURE or MAIL_OTHER_RECIPIENTS kept the email from its recipients. Now it would go to them, so the relay holds it. Close it: `npm run mail -- close <id>`. To send it to its real recipients, replay it: `npm run mail -- replay <id>`.',
  ),
  MAIL_TOO_LARGE_FOR_CALLER: entry(
    413,
    'administrator',
    'The email is larger than this caller may send',
    'Make the files smaller, or ask an administrator for more: `npm run callers -- limit NAME --max-mail-bytes BYTES`.',
  ),
  CALLER_LIMIT_REACHED: entry(
    429,
    'time',
    'The caller has reached its limit for today',
    'HTTP: nothing was accepted. Send the email again after the seconds in the header `Retry-After`: the limit counts from midnight to midnight UTC. Queue: the email waits and is sent when the limit allows; after five days, the relay holds it. An administrator can raise the limit with `npm run callers -- limit NAME --mails-per-day NUMBER` (or `--recipients-per-day`), and replay a held email: `npm run mail -- replay <id>`.',
  ),
  CALLER_LIMIT_TOO_LOW: entry(
    403,
    'administrator',
    'The email or request is more than the caller may send in a day',
    'Divide the recipients among several emails, and emails that are accepted together among several requests, or ask an administrator to raise the daily limit: `npm run callers -- limit NAME --recipients-per-day NUMBER` or `--mails-per-day NUMBER`. Nothing was sent, and waiting does not help.',
  ),
  MAIL_DISABLED: entry(
    503,
    'administrator',
    'Sending is switched off',
    'Nothing was accepted, so it is safe to send the email again later. An administrator switches sending on with the setting MAIL_ENABLED=true. Until then, queued emails wait.',
  ),
  SETTINGS_INVALID: entry(
    500,
    'administrator',
    'Settings of the relay are missing or invalid',
    'Correct the app settings listed in `problems`. Azure then restarts the app. Until then, queued emails wait.',
  ),

  // The credential
  CONNECTION_INVALID: entry(
    503,
    'administrator',
    'The connection that sends for this sender is not set up correctly',
    'Correct the setting that the log event SettingsInvalid and GET /api/health/details name, such as GRAPH_CONNECTION_FABRIKAM/tenantId (docs/connections.md). Emails of other senders are sent. Emails from the queue wait, for up to MAIL_GIVE_UP_HOURS.',
  ),
  VAULT_NOT_SET: entry(
    500,
    'administrator',
    'The settings name no vault',
    'Set KEY_VAULT_URL to the address of the vault, such as https://kv-mail-relay.vault.azure.net. Without a vault, the relay has no secrets to check for expiry.',
  ),
  SECRET_NOT_FOUND: entry(
    502,
    'administrator',
    'The client secret or certificate is not in the vault',
    `Check CLIENT_SECRET_NAME or CLIENT_CERTIFICATE_NAME. To create a secret and store it: ${STORE}. The script never prints the secret.`,
  ),
  WEBHOOK_SECRET_INVALID: entry(
    502,
    'administrator',
    'The vault holds no signing secret for a webhook',
    "Store one as a new version of the secret that MAIL_WEBHOOKS names, and give the same text to the receiver: `whsec_` and base64 of 24 to 64 random bytes, such as from `node -p \"'whsec_' + crypto.randomBytes(32).toString('base64')\"` (docs/events.md). The relay reads it within five minutes.",
  ),
  SECRET_DISABLED: entry(
    502,
    'administrator',
    'The client secret or certificate is disabled in the vault',
    'Enable it: az keyvault secret set-attributes --vault-name <vault> --name <CLIENT_SECRET_NAME> --enabled true. For a certificate: az keyvault certificate set-attributes --vault-name <vault> --name <CLIENT_CERTIFICATE_NAME> --enabled true',
  ),
  SECRET_NOT_YET_VALID: entry(
    502,
    'administrator',
    'The client secret or certificate in the vault is not valid yet',
    'Its start date is in the future, and there is no earlier version that the relay can use. Correct the date of a secret: az keyvault secret set-attributes --vault-name <vault> --name <CLIENT_SECRET_NAME> --not-before <date>. The start date of a certificate cannot be changed: wait for it, or import the certificate before it.',
  ),
  SECRET_EXPIRED_IN_VAULT: entry(
    502,
    'administrator',
    'The client secret or certificate has expired in the vault',
    `Create a new secret and store it: ${STORE}. For a certificate, renew it in the vault and register it: ${REGISTER}. The app does not need a restart.`,
  ),
  VAULT_ACCESS_DENIED: entry(
    502,
    'administrator',
    'The identity of the relay has no role on the vault',
    'Assign the role: az role assignment create --role "Key Vault Secrets User" --assignee-object-id <principal id of the identity> --assignee-principal-type ServicePrincipal --scope <resource id of the vault>. It can take 10 minutes to work. A vault with access policies needs `get` and `list` for secrets instead.',
  ),
  VAULT_FIREWALL: entry(
    502,
    'administrator',
    'The firewall of the vault refuses the address of the relay',
    'Allow the subnet of the app: az keyvault network-rule add --name <vault> --subnet <resource id of the subnet>. Without a virtual network, allow its outbound addresses with --ip-address <address>. (ForbiddenByFirewall)',
  ),
  VAULT_PRIVATE: entry(
    502,
    'administrator',
    'The vault accepts private connections only, and the request of the relay came over the internet',
    'Connect the app to the virtual network of the private endpoint, and link the private DNS zone to that network: az network private-dns link vnet create --resource-group <group> --zone-name privatelink.vaultcore.azure.net --name <link> --virtual-network <network> --registration-enabled false. Or allow public access: az keyvault update --name <vault> --public-network-access Enabled. (ForbiddenByConnection)',
  ),
  VAULT_NAME_UNKNOWN: entry(
    503,
    'time',
    'The name of the vault cannot be resolved',
    'The relay retries automatically. Check KEY_VAULT_URL. If the vault has a private endpoint, its address is missing in the private DNS zone: az network private-endpoint dns-zone-group list --resource-group <group> --endpoint-name <endpoint> shows whether the endpoint writes it, and az network private-dns link vnet list --resource-group <group> --zone-name privatelink.vaultcore.azure.net whether the network of the app uses the zone.',
  ),
  VAULT_UNREACHABLE: entry(
    503,
    'time',
    'The relay cannot reach the vault',
    'The relay retries automatically. If the problem lasts, check KEY_VAULT_URL, DNS and the network rules of the vault.',
  ),
  IDENTITY_UNAVAILABLE: entry(
    502,
    'administrator',
    'The managed identity returns no token',
    'Assign the user-assigned identity to the app: az functionapp identity assign --resource-group <group> --name <app> --identities <resource id of the identity>. Set AZURE_CLIENT_ID to the client ID of the identity.',
  ),
  IDENTITY_UNREACHABLE: entry(
    503,
    'time',
    'The endpoint of the managed identity does not answer',
    'The relay retries automatically. The endpoint is part of the platform; if the problem lasts, restart the app: az functionapp restart --resource-group <group> --name <app>',
  ),
  CLIENT_SECRET_WRONG: entry(
    502,
    'administrator',
    'Entra rejects the client secret as wrong',
    `Make sure that the vault holds the Value of the secret, without quotes, or create and store a new one: ${STORE}. A new secret can take a minute to work. (AADSTS7000215)`,
  ),
  CLIENT_SECRET_IS_ID: entry(
    502,
    'administrator',
    'The vault holds the Secret ID instead of the client secret',
    `The portal shows both side by side, and the Value only once. Create and store a new secret: ${STORE}. The app does not need a restart. (AADSTS7000215)`,
  ),
  CLIENT_SECRET_TOO_NEW: entry(
    503,
    'time',
    'Entra does not know the new client secret yet',
    'The relay retries automatically. Entra takes some seconds, rarely more than a minute, to know a new secret everywhere. After two minutes the relay reports CLIENT_SECRET_WRONG instead. (AADSTS7000215)',
  ),
  CLIENT_SECRET_EXPIRED: entry(
    502,
    'administrator',
    'The client secret has expired',
    `Create a new one and store it: ${STORE}. The app does not need a restart. (AADSTS7000222)`,
  ),
  CERTIFICATE_UNUSABLE: entry(
    502,
    'administrator',
    'The certificate in the vault cannot be used',
    'The relay needs an RSA certificate with its private key, as PEM or as PFX without a password. `detail` says what it received instead. Entra accepts no elliptic curves. Import one into the vault: az keyvault certificate import --vault-name <vault> --name <CLIENT_CERTIFICATE_NAME> --file <file>',
  ),
  CERTIFICATE_NOT_REGISTERED: entry(
    502,
    'administrator',
    'The certificate is not registered in Entra',
    `Register it: ${REGISTER}. The relay also tries the version of the vault before it. (AADSTS700027)`,
  ),
  CERTIFICATE_EXPIRED: entry(
    502,
    'administrator',
    'The certificate has expired',
    `Renew it in the vault, and register the new version: ${REGISTER}. The app does not need a restart. (AADSTS700027)`,
  ),
  CERTIFICATE_CHAIN_REFUSED: entry(
    502,
    'administrator',
    'Entra does not accept the chain or the subject of the certificate',
    `The registration trusts a subject and an issuer, and the certificate is not of these. Use a certificate of a public authority with its chain, or register this one: ${REGISTER}. (AADSTS7000213, AADSTS700030)`,
  ),
  ASSERTION_TIME_REFUSED: entry(
    503,
    'time',
    'Entra finds the time in the signed request wrong',
    'The relay retries automatically, each time with a new signature. If the problem lasts, the clock of this machine is wrong: correct it, such as with `sudo timedatectl set-ntp true`. (AADSTS700024, AADSTS500133)',
  ),
  FEDERATED_CREDENTIAL_MISSING: entry(
    502,
    'administrator',
    'The registration has no federated credential for the managed identity',
    `${FEDERATE} (AADSTS70021)`,
  ),
  FEDERATED_ISSUER_WRONG: entry(
    502,
    'administrator',
    'No federated credential of the registration has the issuer of the managed identity',
    `The issuer is the tenant of the identity. ${FEDERATE} (AADSTS700211)`,
  ),
  FEDERATED_SUBJECT_WRONG: entry(
    502,
    'administrator',
    'No federated credential of the registration has the subject of the managed identity',
    `The subject is the principal (object) ID of the identity, not its client ID, in lower case. ${FEDERATE} (AADSTS700213)`,
  ),
  FEDERATED_AUDIENCE_WRONG: entry(
    502,
    'administrator',
    'No federated credential of the registration has the audience of the managed identity',
    `The audience is api://AzureADTokenExchange, with USGov or China at its end in these clouds. Check GRAPH_CLOUD. ${FEDERATE} (AADSTS700212)`,
  ),
  TENANT_UNKNOWN: entry(
    502,
    'administrator',
    'Entra does not know this tenant',
    'Set ENTRA_TENANT_ID to the Directory (tenant) ID on the Overview page of the app registration. For a national cloud, also check ENTRA_AUTHORITY and GRAPH_CLOUD. (AADSTS90002, AADSTS900023)',
  ),
  APP_UNKNOWN: entry(
    502,
    'administrator',
    'Entra does not know this application',
    'Set ENTRA_CLIENT_ID to the Application (client) ID of a registration in this tenant, and check ENTRA_TENANT_ID: az ad app show --id <ENTRA_CLIENT_ID> (AADSTS700016)',
  ),
  APP_DISABLED: entry(
    502,
    'administrator',
    'The application is disabled in Entra',
    'Find out who disabled it and why, then enable its enterprise application: az ad sp update --id <ENTRA_CLIENT_ID> --set accountEnabled=true (AADSTS7000112)',
  ),
  ENTERPRISE_APP_MISSING: entry(
    502,
    'administrator',
    'The registration has no enterprise application in this tenant',
    'The command line makes the registration alone. Create its enterprise application: az ad sp create --id <ENTRA_CLIENT_ID>. Then assign the permissions again. (AADSTS7000229)',
  ),
  CLOUDS_MIXED: entry(
    502,
    'administrator',
    'Entra and Graph belong to different clouds',
    'Set GRAPH_CLOUD to the cloud of the tenant, and leave ENTRA_AUTHORITY and GRAPH_ENDPOINT empty: az functionapp config appsettings set --resource-group <group> --name <app> --settings GRAPH_CLOUD=global ENTRA_AUTHORITY= GRAPH_ENDPOINT= (AADSTS500011, AADSTS90038, AADSTS900382)',
  ),
  CONDITIONAL_ACCESS_BLOCKED: entry(
    502,
    'administrator',
    'Conditional Access blocks the application',
    'A policy for workload identities does not allow the address of the app, or finds the application at risk. The sign-in logs of service principals show the policy. Add the outbound addresses of the app to a named location that it allows: az functionapp show --resource-group <group> --name <app> --query possibleOutboundIpAddresses. (AADSTS53003, AADSTS530032)',
  ),
  ENTRA_THROTTLED: entry(
    503,
    'time',
    'Entra receives too many requests from this application or tenant',
    'The relay retries automatically, after the time that Entra gives. It asks for one token in about an hour: if the problem lasts, another program uses the same registration. (AADSTS50196, AADSTS90055)',
  ),
  TOKEN_REFUSED: entry(
    502,
    'administrator',
    'Entra issues no token',
    'Look up `upstreamCode`, an AADSTS number, at https://login.microsoftonline.com/error.',
  ),
  ENTRA_UNREACHABLE: entry(
    503,
    'time',
    'The relay cannot reach Entra',
    'The relay retries automatically. If the problem lasts, check ENTRA_AUTHORITY, DNS, the proxy and outbound network rules.',
  ),
  PROXY_REFUSED: entry(
    502,
    'administrator',
    'The proxy refuses a connection of the relay',
    'The proxy that HTTPS_PROXY names answered 407 if it expects a name and a password, and 403 if it does not allow the host. Put the name and the password into HTTPS_PROXY, or allow the hosts that docs/proxies.md lists. Nothing was sent.',
  ),

  // Renewing the credential
  REGISTRATION_ACCESS_DENIED: entry(
    502,
    'administrator',
    'The relay has no permission to renew the client secret of its app registration',
    'The application needs the permission Application.ReadWrite.OwnedBy with admin consent, and must be an owner of its own registration. Both are set up by: infra/deploy.sh --resource-group <group> --rotate-secret <days>. By hand, as an owner: az ad app owner add --id <ENTRA_CLIENT_ID> --owner-object-id "$(az ad sp show --id <ENTRA_CLIENT_ID> --query id --output tsv)". docs/credential-rotation.md has the command for the consent. A change can take some minutes to reach Entra everywhere.',
  ),
  REGISTRATION_NOT_FOUND: entry(
    502,
    'administrator',
    'The app registration is not in the tenant of this connection',
    'The relay can renew secrets only of a registration in the same tenant. If the registration belongs to another organization, its owner must renew the secret; a certificate or a federated credential needs no renewal by the relay (docs/credentials.md). Otherwise check the client ID.',
  ),
  CLIENT_SECRETS_NOT_ALLOWED: entry(
    502,
    'administrator',
    'A policy of the tenant does not allow new client secrets',
    'Use a credential without a client secret: set GRAPH_CREDENTIAL to federated or certificate (docs/credentials.md). Or ask an administrator to exempt the registration: Entra admin center > Enterprise apps > Application policies (app management policy, restriction passwordAddition). The current secret works until it expires. To stop the attempts, clear SECRET_ROTATION_DAYS.',
  ),
  CLIENT_SECRET_LIFETIME_LIMITED: entry(
    502,
    'administrator',
    'A policy of the tenant does not allow client secrets that are valid for so long',
    'The relay asked for twice SECRET_ROTATION_DAYS, and then for 14 days more than it. Set SECRET_ROTATION_DAYS to the longest life that the policy allows less 14 days: 76 for a limit of 90 days. An administrator sees the limit in the Entra admin center > Enterprise apps > Application policies (app management policy, restriction passwordLifetime).',
  ),
  CLIENT_SECRETS_TOO_MANY: entry(
    502,
    'administrator',
    'The app registration has as many credentials as Entra allows',
    'Remove those that nothing uses: az ad app credential list --id <ENTRA_CLIENT_ID> --output table, then az ad app credential delete --id <ENTRA_CLIENT_ID> --key-id <keyId>. A registration that also allows personal Microsoft accounts can have only two client secrets, which is enough once nothing else uses one.',
  ),
  REGISTRATION_CHANGE_REFUSED: entry(
    502,
    'administrator',
    'Graph rejects a change of the app registration',
    'Look up `upstreamCode`; the sign-in and audit logs of Entra name the reason. If you ask Microsoft for help, quote `graphRequestId`. The current secret works until it expires. To stop the attempts, clear SECRET_ROTATION_DAYS.',
  ),
  REGISTRATION_ANSWER_UNEXPECTED: entry(
    502,
    'administrator',
    'Graph returned something unexpected about the app registration',
    'Check that GRAPH_ENDPOINT is the address of Graph and that no proxy responds in its place. The next run removes what may have been made without a known value.',
  ),
  VAULT_WRITE_DENIED: entry(
    502,
    'administrator',
    'The vault does not let the relay store its new client secret',
    'Assign the role Key Vault Secrets Officer, on this secret alone, to the managed identity of the app: infra/deploy.sh --resource-group <group> --rotate-secret <days> does it. By hand: az role assignment create --role "Key Vault Secrets Officer" --assignee <AZURE_CLIENT_ID> --scope "$(az keyvault show --name <vault> --query id --output tsv)/secrets/<CLIENT_SECRET_NAME>". The next run removes the secret that could not be stored, and makes another.',
  ),

  // What Graph and Exchange return
  GRAPH_TOKEN_NOT_ACCEPTED: entry(
    502,
    'administrator',
    'Graph does not accept the token from Entra',
    'Check that GRAPH_ENDPOINT and ENTRA_AUTHORITY belong to the same cloud.',
  ),
  MAILBOX_NOT_FOUND: entry(
    422,
    'administrator',
    'The sender has no mailbox in Exchange Online',
    'Check that the address is the primary or a proxy address of a mailbox, that the mailbox is shared or has a license, and that it is in Exchange Online, not on-premises.',
  ),
  MAILBOX_OUT_OF_SCOPE: entry(
    502,
    'administrator',
    'The relay has no permission to send from this mailbox',
    'Check the permission: Test-ServicePrincipalAuthorization -Identity <app> -Resource <mailbox>. If it shows False, add the mailbox to the management scope of the role Application Mail.Send. If it shows no row, assign that role (infra/scripts/limit-mailboxes.ps1). Changes take 30 minutes to 2 hours. Admin consent to Mail.Send would allow every mailbox of the tenant.',
  ),
  PERMISSION_NOT_GRANTED: entry(
    502,
    'administrator',
    'A permission of the app registration has no admin consent',
    'Assign the role Application Mail.Send for the sender mailboxes in Exchange Online (infra/scripts/limit-mailboxes.ps1). Or, for every mailbox of the tenant, grant admin consent to the application permission Mail.Send (not the delegated one): az ad app permission admin-consent --id <ENTRA_CLIENT_ID>. Consent removes the limit that the role sets.',
  ),
  SEND_AS_DENIED: entry(
    502,
    'administrator',
    'The mailbox has no permission to send as this sender',
    'Use the address of the mailbox itself as `from`, or grant the permission: Add-RecipientPermission <from> -Trustee <mailbox> -AccessRights SendAs',
  ),
  RECIPIENT_REFUSED: entry(
    422,
    'caller',
    'Exchange rejects a recipient',
    'Check the addresses for typing errors, and that each still has a mailbox.',
  ),
  MAIL_TOO_LARGE_FOR_MAILBOX: entry(
    413,
    'caller',
    'Exchange rejects the email because of its size',
    'Make the attachments smaller, or ask an administrator to raise the message size limit of the sender mailbox.',
  ),
  MAILBOX_FULL: entry(
    502,
    'administrator',
    'The sender mailbox is full',
    'Empty the mailbox or give it a retention policy. Exchange keeps every email in Sent Items unless `saveToSentItems` is false.',
  ),
  MAILBOX_QUOTA_REACHED: entry(
    503,
    'time',
    'The sender mailbox has reached a sending limit of Exchange',
    'The relay retries automatically. Exchange allows a mailbox 10,000 recipients in 24 hours: spread large mailings over several senders.',
  ),
  MAILBOX_BLOCKED: entry(
    502,
    'administrator',
    'Exchange has blocked this sender',
    'Open https://security.microsoft.com/restrictedentities, find out why Exchange blocked the sender, and unblock it there.',
  ),
  GRAPH_REFUSED: entry(
    502,
    'administrator',
    'Graph rejects the email',
    'Look up `upstreamCode`. If you ask Microsoft for help, quote `graphRequestId`.',
  ),
  GRAPH_ANSWER_UNEXPECTED: entry(
    502,
    'administrator',
    'Graph returned something other than 202',
    'The relay counts only an exact 202 as sent. Check that GRAPH_ENDPOINT is the address of Graph and that no proxy responds in its place.',
  ),
  GRAPH_THROTTLED: entry(
    503,
    'time',
    'Graph currently limits this mailbox',
    'The relay waits as long as Graph asks, at most an hour at a time, and retries automatically.',
  ),
  RELAY_BUSY: entry(
    503,
    'time',
    'The relay has no memory for another large email at the moment',
    'Send it again after the time in the header `Retry-After`. Nothing was accepted. If this happens often, deploy with more memory per instance (`instanceMemoryMB`), or send large emails one after another.',
  ),
  MAILBOX_BOOKED_UP: entry(
    503,
    'time',
    'More emails wait for this mailbox than it can send in time',
    'Nothing was accepted, so it is safe to send the email again later. Exchange lets a mailbox send 30 emails a minute: spread large mailings over several senders or over time.',
  ),
  MAILBOX_DAY_REACHED: entry(
    429,
    'time',
    'The mailbox has had its recipients of the day',
    'A mailbox may write to as many recipients in 24 hours as MAIL_RECIPIENTS_PER_DAY_PER_MAILBOX says, by default the 10,000 of Exchange. Exchange returns what is above that as undeliverable. Nothing was accepted. Send the email again after the time in the header `Retry-After`, with `Prefer: respond-async` or by the queue, where it waits, or from another mailbox.',
  ),
  EXTERNAL_RECIPIENTS_REACHED: entry(
    429,
    'time',
    'The tenant has had its external recipients of the day',
    'Exchange limits the recipients outside the tenant that all its mailboxes write to in 24 hours (MAIL_EXTERNAL_RECIPIENTS_PER_DAY), and returns what is above that as undeliverable. Nothing was accepted. Send the email again after the time in the header `Retry-After`, or with `Prefer: respond-async` or by the queue, where it waits. More licenses raise the limit.',
  ),
  ONMICROSOFT_RECIPIENTS_REACHED: entry(
    429,
    'time',
    'The senders in an onmicrosoft.com domain have had their external recipients of the day',
    'Exchange lets all senders in an onmicrosoft.com domain together write to 100 recipients outside the tenant in 24 hours (MAIL_ONMICROSOFT_RECIPIENTS_PER_DAY), and returns what is above that as undeliverable. Nothing was accepted. Use a sender in a domain of the organization. Or send the email again after the time in the header `Retry-After`, or with `Prefer: respond-async` or by the queue, where it waits.',
  ),
  EXTERNAL_RECIPIENTS_TOO_MANY: entry(
    403,
    'caller',
    'The email has more external recipients than Exchange allows the tenant or domain in a day',
    'Divide the recipients among several emails on several days. If the sender is in an onmicrosoft.com domain, use one in a domain of the organization. `detail` has the limit. Nothing was sent, and waiting does not help.',
  ),
  START_MISSED: entry(
    503,
    'time',
    'Storage was too slow for the start that the email had',
    'Nothing was sent. The relay retries automatically, within the limits of the mailbox. If this lasts, look at the latency of the storage account.',
  ),
  GRAPH_UNAVAILABLE: entry(503, 'time', 'Graph is unavailable', 'The relay retries automatically.'),
  GRAPH_UNREACHABLE: entry(
    503,
    'time',
    'The relay cannot reach Graph',
    'The relay retries automatically. If the problem lasts, check GRAPH_ENDPOINT, DNS, the proxy and outbound network rules.',
  ),
  DRAFT_UNFINISHED: entry(
    503,
    'time',
    'The relay could not finish the draft of the email',
    'Nothing was sent. The relay removes the draft and retries automatically. If the problem lasts with large files, the connection is too slow for them: make the files smaller.',
  ),
  DRAFTS_NOT_ALLOWED: entry(
    502,
    'administrator',
    'The relay has no permission to create drafts in this mailbox',
    'Settings let the relay send emails as drafts, which needs Mail.ReadWrite on the sender mailboxes. Assign the role Application Mail.ReadWrite for them in Exchange Online: infra/scripts/limit-mailboxes.ps1 -AlsoGrant Mail.ReadWrite. Changes take 30 minutes to 2 hours. Or set MAIL_LARGE_ATTACHMENTS to false and MAIL_DELIVERY to standard.',
  ),
  UPLOAD_HOST_UNEXPECTED: entry(
    502,
    'administrator',
    'Graph named a host for the upload of a file that the relay does not trust',
    'Nothing was sent there. `detail` has the host. A proxy that changes responses of Graph can cause this. If Microsoft uses a new domain for uploads, report it and update the relay.',
  ),
  ATTACHMENT_CHANGED: entry(
    422,
    'caller',
    'A file that the email names was changed or deleted before it was sent',
    'Nothing was sent. Upload the file under a new name, and send the email with it and a new idempotency key. Do not change a file that a waiting email names.',
  ),
  OUTCOME_UNKNOWN: entry(
    502,
    'administrator',
    'It is unknown whether Graph sent the email',
    'Look in the Sent Items of the sender. If the email is not there, replay it: npm run mail -- replay <id>. If it is there, close it: npm run mail -- close <id> --note "found in Sent Items".',
  ),
  GIVEN_UP: entry(
    503,
    'administrator',
    'The relay could not send the email in time',
    'Fix the last reason, which `detail` names, then replay the email: npm run mail -- replay <id>. The setting MAIL_GIVE_UP_HOURS says how long the relay tries.',
  ),

  // Accepted before
  IDEMPOTENCY_KEY_REUSED: entry(
    422,
    'caller',
    'The idempotency key belongs to another email',
    'Use a new key for every email. Use the same key only to repeat an unchanged request.',
  ),
  MAIL_KEY_IN_USE: entry(
    409,
    'administrator',
    'Another email with the same idempotency key and content exists',
    'Look at the email that `detail` names: `npm run mail -- show <its id>`. If it was sent or will be, close this one: `npm run mail -- close <id> --note "same as <its id>"`. A replay would send it twice.',
  ),
  MAIL_CANCELED: entry(
    410,
    'caller',
    'The email with this idempotency key was canceled',
    'Nothing was sent, and this key never sends again. To send the email after all, use a new key.',
  ),
  MAIL_NOT_WAITING: entry(
    409,
    'caller',
    'The email cannot be canceled',
    'Only an email in the state `queued` or `deferred` that was certainly not sent can be canceled; `detail` says why this one cannot. An email that was sent cannot be recalled. A held email is not sent by itself; an operator can close it.',
  ),
  MAIL_NOT_SCHEDULED: entry(
    409,
    'caller',
    'The email cannot be moved to another time',
    'Only an email in the state `queued` that waits for its `sendAt` can be moved; `detail` says why this one cannot. To send another email, send it with another idempotency key.',
  ),
  CLOSED_WHILE_WAITING: entry(
    409,
    'administrator',
    'An operator closed the email while it waited',
    'Nothing was sent. To send the email after all, its caller sends it again with a new idempotency key.',
  ),
  IDEMPOTENCY_KEY_INVALID: entry(
    400,
    'caller',
    'The idempotency key is malformed',
    'Send 1 to 255 printable ASCII characters without spaces in the header Idempotency-Key or the field `idempotencyKey`. If you send both, give them the same value. Without a key, omit the header.',
  ),
  MAIL_UNDER_WAY: entry(
    409,
    'time',
    'The email is currently being sent',
    'Repeat the request after the time in Retry-After. If you sent the email again with its idempotency key, you then get the response to the first request.',
  ),
  MAIL_NOT_FOUND: entry(
    404,
    'caller',
    'There is no such email',
    'Check the id, and use a key or token of the caller that sent the email. The relay keeps the status of an email for MAIL_LEDGER_DAYS days.',
  ),
  MAIL_NOT_HELD: entry(
    409,
    'caller',
    'The email is not held',
    'Only a held email can be replayed, and only a held or waiting one closed. To see its state: npm run mail -- show <id>',
  ),
  MAIL_STILL_NEEDED: entry(
    409,
    'caller',
    'The relay still needs what it keeps of the email',
    'Without it, the email could be sent twice. Everything of an email can be deleted once it has ended and no message of it can be on the queue: an hour later, or eight days after it was canceled or closed while it waited. `detail` says what it waits for.',
  ),
  QUERY_INVALID: entry(
    400,
    'caller',
    'The query parameters are invalid',
    'Use the parameters that `detail` names.',
  ),
  NOTE_MISSING: entry(
    400,
    'caller',
    'A note is required',
    'Send `{ "note": "..." }` with 1 to 500 characters that say why you close the email. `detail` says what the relay received instead.',
  ),
  // The operator page
  OPERATOR_READ_ONLY: entry(
    403,
    'administrator',
    'You can look at everything here, and change nothing',
    'Have an administrator assign the app role Relay.Operate to you, then sign out and in again. docs/operator-page.md says how.',
  ),
  FORM_INVALID: entry(
    400,
    'caller',
    'The form is incomplete or has a field that is not valid',
    'Go back, correct what `detail` says, and send the form again. Nothing was done.',
  ),
  FORM_EXPIRED: entry(
    403,
    'caller',
    'The form is of another session, or too old',
    'Open the page again and repeat what you did. Nothing was done.',
  ),
  FORM_FOREIGN: entry(
    403,
    'caller',
    'The form was sent from another site',
    'Open the operator page itself and repeat what you did. If a proxy changes the host name, let it pass on the header Host. Nothing was done.',
  ),
  PAGE_NOT_FOUND: entry(
    404,
    'caller',
    'The operator page has nothing at this address',
    'Go to the overview, and from there to what you look for.',
  ),
  MAIL_LOST: entry(
    500,
    'administrator',
    'The queue message of this email is missing',
    'Something deleted the message, or the relay stopped before it wrote the message. Find out whether the application received a response that accepts the email. If it did, send the email again from the application. Then close this one: npm run mail -- close <id> --note "..."',
  ),

  ATTEMPT_LOST: entry(
    500,
    'administrator',
    'The relay began to send the email, and the result is lost',
    'Look in the Sent Items of the sender. If the email is not there, send it again from the application. Then close this one: npm run mail -- close <id> --note "..."',
  ),

  // Changes of callers
  CALLER_INVALID: entry(
    400,
    'caller',
    'The description of a caller is invalid',
    'Correct what `problems` lists. Nothing was changed. To see every field and option: npm run callers -- --help',
  ),
  CALLER_NOT_FOUND: entry(
    404,
    'caller',
    'There is no such caller',
    'Check the name: npm run callers -- list. To declare a new caller: npm run callers -- add NAME --sender ADDRESS',
  ),
  CALLER_EXISTS: entry(
    409,
    'caller',
    'There is already a caller with this name',
    'Choose another name, or change the rules of this caller: npm run callers -- limit NAME. For a second key: npm run callers -- rotate-key NAME',
  ),
  CALLER_BUILT_IN: entry(
    409,
    'caller',
    'This caller exists by itself',
    '`function-keys` and `queue` can be limited, disabled and enabled, but not added or removed, and they have no keys of the relay. To close one: npm run callers -- disable NAME',
  ),
  CALLER_DECLARED_IN_SETTINGS: entry(
    409,
    'caller',
    'The rules of this caller are declared in the setting MAIL_CALLERS',
    'Change them there: in the parameter `options.callers` of the deployment, or in the app setting. Keys can be made and revoked, and the caller can be disabled, here as well.',
  ),
  CALLER_CHANGED: entry(
    409,
    'caller',
    'Someone else changed the callers at the same time',
    'Nothing was changed. Look at the caller as it is now (npm run callers -- show NAME), then repeat your change if it is still right.',
  ),
  CALLER_UNREADABLE: entry(
    500,
    'administrator',
    'The relay cannot read what it keeps of this caller',
    'Until then, it refuses the caller. Someone changed the table, or a later version of the relay wrote it. Deploy the later version again, or remove the caller and add it once more, with a new key: npm run callers -- remove NAME',
  ),
  CALLER_CREDENTIAL_TAKEN: entry(
    409,
    'caller',
    'Another caller has this application or function key',
    'An application is one caller. `detail` names the other caller: remove the application or key there first, or use another one.',
  ),
  CHANGED_BY_INVALID: entry(
    400,
    'caller',
    'The header x-changed-by is malformed',
    'Say in a few words who makes the change, percent-encoded as in a URL, or omit the header. Nothing was changed.',
  ),
  CALLER_KEYS_FULL: entry(
    409,
    'caller',
    'The caller has two keys already',
    'Revoke the one that the application no longer uses: npm run callers -- revoke-key NAME ID. `detail` has their ids.',
  ),
  CALLER_KEY_NOT_FOUND: entry(
    404,
    'caller',
    'The caller has no key with this id',
    'The id is the part of a key between the first and the second underscore. To see the ids: npm run callers -- show NAME',
  ),

  // Message traces: none of these fails a request, they are in the part `delivery` of a status
  TRACE_OFF: entry(
    501,
    'administrator',
    'The relay does not ask for message traces',
    'Set MAIL_TRACE=true and grant the permission: docs/delivery.md, "Set up message traces". Without it, look in the Exchange admin center (Mail flow, Message trace), or in the mailbox of the sender for a non-delivery report.',
  ),
  TRACE_NOT_SENT: entry(
    409,
    'caller',
    'Exchange has no message trace of this email',
    'Only an email in the state `sent` has one; see `state` for this email. An email that a test environment captured or redirected did not go to its recipients.',
  ),
  TRACE_TOO_EARLY: entry(
    409,
    'caller',
    'The message trace cannot have the email yet',
    'Exchange lists an email 5 to 15 minutes after it was sent, so the relay does not ask in the first two minutes. Ask again at `askAgainAt`.',
  ),
  TRACE_TOO_OLD: entry(
    410,
    'caller',
    'The email is older than Exchange keeps message traces',
    'Exchange keeps them for 90 days. What the relay learned before is in `recipients`.',
  ),
  TRACE_MESSAGE_ID_UNKNOWN: entry(
    404,
    'administrator',
    'The relay does not know the Message-ID of the email, and cannot tell which trace is its own',
    'The relay finds the Message-ID in Sent Items, with Mail.Read on the mailbox of the sender and if the email left a copy there (infra/scripts/limit-mailboxes.ps1 -AlsoGrant Mail.Read). With MAIL_DELIVERY=exact it knows the Message-ID of each new email. For this one, search by its sender, recipients and time in the Exchange admin center (Mail flow, Message trace).',
  ),
  TRACE_INCOMPLETE: entry(
    503,
    'administrator',
    'The sender sent too many emails near this one for the relay to read all traces',
    'The relay reads 15,000 recipients of one sender and does not find this email among them. Search for its Message-ID in the Exchange admin center (Mail flow, Message trace).',
  ),
  TRACE_LIMIT_REACHED: entry(
    429,
    'time',
    'The relay has asked for enough message traces for now',
    'Ask again at `askAgainAt`. Exchange allows 100 requests in five minutes for the whole tenant; the relay uses 20 of them at most, so that the tools of administrators keep working. Use non-delivery reports or events instead of asking about every email.',
  ),
  TRACE_THROTTLED: entry(
    429,
    'time',
    'Exchange currently limits message traces for the tenant',
    'Ask again at `askAgainAt`. Other applications and administrators use the same limit of 100 requests in five minutes.',
  ),
  TRACE_PRINCIPAL_MISSING: entry(
    502,
    'administrator',
    'The tenant does not have the service principal that message traces need',
    'Once in each tenant, as an Application Administrator: az ad sp create --id 8bd644d1-64a1-4d4b-ae52-2e0cbf64e373 (the application "Transport Data Platform" of Microsoft). It can take some hours until it works. The credential of the relay is not the cause.',
  ),
  TRACE_NOT_PERMITTED: entry(
    502,
    'administrator',
    'The relay has no permission to read message traces',
    'Grant the application permission ExchangeMessageTrace.Read.All with admin consent: infra/deploy.sh --resource-group <group> --also-grant ExchangeMessageTrace.Read.All consent. Tokens have it some minutes later, at most an hour and a half.',
  ),
  TRACE_CLOUD_UNSUPPORTED: entry(
    501,
    'administrator',
    'Microsoft Graph has no message traces in this cloud',
    'They are in the global cloud only. Search in the Exchange admin center of the tenant (Mail flow, Message trace).',
  ),
  TRACE_CONNECTION_MISSING: entry(
    502,
    'administrator',
    'No connection reaches the tenant that the email was sent from',
    'Add the connection again in GRAPH_CONNECTIONS, or search in the Exchange admin center of that tenant.',
  ),
  TRACE_UNAVAILABLE: entry(
    503,
    'time',
    'The relay could not read the message trace now',
    'Ask again at `askAgainAt`. The status of the email itself is complete.',
  ),
  TRACE_REFUSED: entry(
    502,
    'administrator',
    'Graph refused the request for the message trace, or its response was not one',
    '`upstreamCode` and `graphRequestId` say more; report them. Until then, search in the Exchange admin center (Mail flow, Message trace).',
  ),

  // Queue and storage
  MESSAGE_UNREADABLE: entry(
    400,
    'caller',
    'A queue message is not a valid email',
    'Put the email on the queue as one JSON object, plain or base64-encoded, of at most 64 KiB as stored.',
  ),
  PAYLOAD_MISSING: entry(
    500,
    'administrator',
    'The stored content of a queued email is missing',
    'Something other than the relay deleted the blob. Send the email again from the application.',
  ),
  HOST_GAVE_UP: entry(
    500,
    'administrator',
    'The functions host gave up on a queue message',
    'Processing failed several times, for example because the process crashed. Look up the exceptions of deliverMail in the log and fix the cause. Then look in the Sent Items of the sender. If the email is not there, replay it: npm run mail -- replay <id>. If it is there, close it: npm run mail -- close <id> --note "found in Sent Items".',
  ),
  MAIL_NOT_STORED: entry(
    503,
    'time',
    'The relay could not store the email',
    'Nothing was accepted, so it is safe to send again.',
  ),
  STORAGE_UNAVAILABLE: entry(
    503,
    'time',
    'The relay cannot reach its storage',
    'Repeat the same request later. The email itself may be accepted already: do not send it again with another key.',
  ),
  UNEXPECTED: entry(
    500,
    'administrator',
    'An unexpected error occurred in the relay',
    'Find the exception in the log by the invocation that `instance` names, and report it.',
  ),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof catalogue;
