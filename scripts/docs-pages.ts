import { BOUNCE_CAUSES, type BounceCause, codesOf } from '../src/lib/bounces/bounce-cause.ts';
import { BOUNCE_WORDS } from '../src/lib/bounces/bounce-words.ts';
import { type CatalogueEntry, catalogue, type FixedBy } from '../src/lib/error-catalogue.ts';
import { exampleOf, type Setting, settingsTable } from '../src/lib/settings/settings.ts';
import { documentText } from './openapi/document.ts';

/** A file that is written from a table in src, and never by hand. */
export type Page = { readonly path: string; readonly text: string };

const WRITTEN = '<!-- Written by npm run docs. Edit the table named below instead. -->';

/** The pages as they should be now. */
export const makePages = (): readonly Page[] => [
  { path: 'docs/settings.md', text: toSettingsPage() },
  { path: 'docs/errors.md', text: toErrorsPage() },
  { path: 'docs/bounce-codes.md', text: toBounceCodesPage() },
  { path: 'local.settings.example.json', text: toExampleSettings() },
  { path: 'docs/openapi.json', text: documentText() },
];

const settings: readonly (readonly [name: string, setting: Setting<unknown>])[] =
  Object.entries(settingsTable);

/** Text for a reader, in Markdown: a placeholder such as <vault> is no HTML, and a bar ends no cell. */
const toMarkdown = (text: string): string =>
  text
    .split(/(`[^`]*`)/)
    .map((part, index) => (index % 2 === 1 ? part : part.replaceAll('<', '\\<').replaceAll('*', '\\*')))
    .join('')
    .replaceAll('|', '\\|');

const code = (text: string): string => (text === '' ? '' : `\`${text}\``);

const toSettingsPage = (): string => `# Settings

${WRITTEN}
<!-- Table: src/lib/settings/settings.ts -->

The app reads these application settings once, when it starts. A setting without a default is required. If a setting is
missing or invalid, the relay sends nothing: HTTP returns [SETTINGS_INVALID](errors.md#settings_invalid) with a list of all
invalid settings, emails on the queue wait, and each instance logs \`SettingsInvalid\` when it starts and once more at its
first call. A change takes effect when the app restarts. Azure restarts it when you save settings.

The relay also checks values against each other, against \`functionTimeout\` in host.json and against the 230 s that Azure
allows for an HTTP request, because values that are valid alone can cause a duplicate together. The relay rejects a
misspelled name, because the limit that you meant would not apply. A name that only begins like a setting of the relay stops
nothing; the relay logs it as \`SettingsUnknown\`. [Test environments](test-environments.md) describes the settings that keep emails from their recipients.

No setting holds a secret: the client secret is in the vault. \`HTTPS_PROXY\` and \`NO_PROXY\` are described in [proxies.md](proxies.md).

| Setting | Description | Default | Example |
| --- | --- | --- | --- |
${settings
  .map(([name, definition]) => {
    const { what, fallback } = definition;
    const byDefault = fallback === undefined ? '**required**' : code(fallback) || 'empty';
    return `| \`${name}\` | ${toMarkdown(what)} | ${byDefault} | ${code(exampleOf(definition))} |`;
  })
  .join('\n')}

To set them in Azure, see [setup.md](setup.md). On your own machine, see [local.md](local.md).
`;

const toBounceCodesPage = (): string => `# Codes of bounced emails

${WRITTEN}
<!-- Table: src/lib/bounces/bounce-cause.ts and bounce-words-en.ts -->

What the relay says of a recipient whose email [bounced](bounces.md), by the enhanced status code of the report. \`kind\` says whether the same email can succeed later.

| Codes | Kind | Cause | What to do |
| --- | --- | --- | --- |
${(Object.keys(BOUNCE_CAUSES) as BounceCause[])
  .map((cause) => {
    const { cause: what, remedy } = BOUNCE_WORDS.en[cause];
    return `| ${codesOf(cause).join(', ') || OTHER_CODES[cause]} | \`${BOUNCE_CAUSES[cause]}\` | ${toMarkdown(what)} | ${toMarkdown(remedy)} |`;
  })
  .join('\n')}
`;

const OTHER_CODES: Readonly<Partial<Record<BounceCause, string>>> = {
  'other-permanent': 'others that begin with 5',
  'other-temporary': 'others that begin with 4',
  'no-code': 'none',
};

/** The sections of errors.md: who fixes the problem, and what that means for the email. */
const FIXED_BY: readonly (readonly [fixedBy: FixedBy, heading: string, meaning: string])[] = [
  [
    'caller',
    'Fixed by the caller',
    'The application changes its request. Repeating the same request returns the same error.',
  ],
  [
    'administrator',
    'Fixed by an administrator',
    'An administrator or operator changes settings, permissions or mailboxes, or decides about a held email.',
  ],
  [
    'time',
    'Fixed by time',
    'The same request can succeed later. The relay retries emails on the queue automatically; an HTTP caller repeats the request after `Retry-After`.',
  ],
];

const toErrorsPage = (): string => {
  const entries: readonly (readonly [string, CatalogueEntry])[] = Object.entries(catalogue);
  const entriesFor = (who: FixedBy) => entries.filter(([, { fixedBy }]) => fixedBy === who);
  const groups = FIXED_BY.map(
    ([who, heading, meaning]) => `## ${heading}

${meaning} \`fixedBy\` is \`${who}\`.

| Code | Status | Problem |
| --- | --- | --- |
${entriesFor(who)
  .map(
    ([name, { status, title }]) => `| [${name}](#${name.toLowerCase()}) | ${status} | ${toMarkdown(title)} |`,
  )
  .join('\n')}

${entriesFor(who)
  .map(
    ([name, { status, title, remedy }]) => `### ${name}

${toMarkdown(title)}.

- Status: ${status}
- What to do: ${toMarkdown(remedy)}
`,
  )
  .join('\n')}`,
  );
  return `# Errors

${WRITTEN}
<!-- Table: src/lib/error-catalogue.ts -->

Every error has a code, which never changes; its wording can change. An HTTP response has it as \`code\` in
\`application/problem+json\` (RFC 9457), a held or rejected email as \`reason.code\`, and the log as \`code\`. For the
format of an error response, see [api.md](api.md#errors).

The codes are grouped by who fixes the problem: [the caller](#fixed-by-the-caller),
[an administrator](#fixed-by-an-administrator) or [time](#fixed-by-time).

If an email on the queue was certainly not sent, the relay retries it until \`MAIL_GIVE_UP_HOURS\` are over, even if an
administrator must first fix something. If Graph rejects an email on the queue, the relay holds it. If it rejects an email
sent by HTTP, the caller gets the error immediately. A 503 response has the header \`Retry-After\`.

${groups.join('\n')}`;
};

/** Of the two ways to storage, the one that only Azure has. */
const AZURE_ONLY = 'AzureWebJobsStorage__accountName';

/** What Core Tools and `npm start -- --real-tenant` read; required settings show their example. */
const toExampleSettings = (): string => {
  const values = settings
    .filter(([name]) => name !== AZURE_ONLY)
    .map(([name, definition]) => [name, definition.fallback ?? exampleOf(definition)]);
  return `${JSON.stringify(
    {
      IsEncrypted: false,
      Values: {
        FUNCTIONS_WORKER_RUNTIME: 'node',
        ...Object.fromEntries(values),
        AzureWebJobsStorage: 'UseDevelopmentStorage=true',
      },
    },
    null,
    2,
  )}\n`;
};
