import { type CatalogueEntry, catalogue, type FixedBy } from '../src/lib/error-catalogue.ts';
import { type Setting, settingsTable } from '../src/lib/settings.ts';

/** A file that is written from a table in src, and never by hand. */
export type Page = { readonly path: string; readonly text: string };

const WRITTEN = '<!-- Written by npm run docs. Edit the table named below instead. -->';

/** The pages as they should be now. */
export const makePages = (): readonly Page[] => [
  { path: 'docs/settings.md', text: toSettingsPage() },
  { path: 'docs/errors.md', text: toErrorsPage() },
  { path: 'local.settings.example.json', text: toExampleSettings() },
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
<!-- Table: src/lib/settings.ts -->

The app reads these application settings once, at its first call. A setting without a default is required. When one
is missing or wrong, nothing is sent: HTTP answers [SETTINGS_INVALID](errors.md#settings_invalid) with the list of all
that are, mail on the queue waits, and each instance says \`SettingsInvalid\` at its start and once in the log of a call. A
change takes effect when the app restarts, which Azure does by itself when settings are saved.

Values are checked against each other, against \`functionTimeout\` of host.json and against the 230 s that Azure gives an HTTP
request: values that are good one by one can make a mail be sent twice. A name with a slip in it is refused too, since the limit
that was meant would not hold; a name that only begins as ours do stops nothing, and is logged as \`SettingsUnknown\`.

No setting holds a secret: the client secret is in the vault.

| Setting | What it is | Default | Example |
| --- | --- | --- | --- |
${settings
  .map(([name, { what, example, fallback }]) => {
    const byDefault = fallback === undefined ? '**required**' : code(fallback) || 'empty';
    return `| \`${name}\` | ${toMarkdown(what)} | ${byDefault} | ${code(example)} |`;
  })
  .join('\n')}

How to set them in Azure: [setup.md](setup.md). On your own machine: [local.md](local.md).
`;

const MENDED_BY: Readonly<Record<FixedBy, string>> = {
  caller: 'the caller, by changing the request',
  administrator: 'an administrator, by changing the set-up',
  time: 'time: the same request can succeed later',
};

const toErrorsPage = (): string => {
  const entries: readonly (readonly [string, CatalogueEntry])[] = Object.entries(catalogue);
  const sections = entries.map(
    ([name, { status, title, fixedBy, remedy }]) => `## ${name}

${toMarkdown(title)}.

- Status: ${status}
- Fixed by: ${MENDED_BY[fixedBy]}
- What to do: ${toMarkdown(remedy)}
`,
  );
  return `# Errors

${WRITTEN}
<!-- Table: src/lib/error-catalogue.ts -->

Every error has a code, which never changes; the wording may. HTTP answers carry it as \`code\` in
\`application/problem+json\` (RFC 9457), a mail that was held or rejected as \`reason.code\`, the log as \`code\`.
What an answer looks like: [api.md](api.md#errors).

\`fixedBy\` says who can end the problem. A mail on the queue that was certainly not sent is tried again until
\`MAIL_GIVE_UP_HOURS\` are over, also where an administrator has to mend something first; one that Graph rejected is
held. An HTTP caller is told at once. A 503 carries \`Retry-After\`.

| Code | Status | Fixed by |
| --- | --- | --- |
${entries.map(([name, { status, fixedBy }]) => `| [${name}](#${name.toLowerCase()}) | ${status} | ${fixedBy} |`).join('\n')}

${sections.join('\n')}`;
};

/** Of the two ways to storage, the one that only Azure has. */
const AZURE_ONLY = 'AzureWebJobsStorage__accountName';

/** What Core Tools and `npm start -- --real-tenant` read; required settings show their example. */
const toExampleSettings = (): string => {
  const values = settings
    .filter(([name]) => name !== AZURE_ONLY)
    .map(([name, { example, fallback }]) => [name, fallback ?? example]);
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
