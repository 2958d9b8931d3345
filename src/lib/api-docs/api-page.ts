import { type Html, html, prose } from './html.ts';
import { STYLE } from './page-style.ts';
import { type Schema, schemaBody, typeOf } from './schema-text.ts';

type Content = Readonly<
  Record<
    string,
    {
      readonly schema: Schema;
      readonly examples?: Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>;
    }
  >
>;

type Parameter = {
  readonly in: string;
  readonly name: string;
  readonly description: string;
  readonly required?: boolean;
  readonly schema: Schema;
};

type Operation = {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
};

type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

/** The document, as far as the page shows it. */
export type ApiDocument = {
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly summary: string;
    readonly description: string;
  };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Paths;
  readonly webhooks: Paths;
  readonly components: {
    readonly securitySchemes: Readonly<
      Record<string, { readonly name?: string; readonly scheme?: string; readonly description: string }>
    >;
    readonly schemas: Readonly<Record<string, Schema>>;
  };
  readonly 'x-error-catalogue': Readonly<
    Record<string, { readonly status: number; readonly title: string; readonly fixedBy: string }>
  >;
};

type Call = Operation & { readonly method: string; readonly path: string };

const callsOf = (paths: Paths): readonly Call[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method, path })),
  );

const idOf = (name: string): string => name.toLowerCase().replaceAll(/[^a-z]+/g, '-');

/** The name by which people know a credential. */
const CREDENTIALS: Readonly<Record<string, string>> = {
  functionKey: 'function key',
  relayKey: 'key of the relay',
  relayKeyAsBearer: 'key of the relay as a Bearer token',
  entraToken: 'token from Entra ID',
  masterKey: 'master key',
};

const credentialLink = (name: string): Html =>
  html`<a href="#credential-${name}">${CREDENTIALS[name] ?? name}</a>`;

const joined = (parts: readonly Html[], word: string): Html =>
  html`${parts.map((part, index) => (index === 0 ? part : html`${word}${part}`))}`;

const accessOf = ({ security }: Call): Html =>
  security.length === 0
    ? html`none needed`
    : joined(
        security.flatMap((one) => Object.keys(one).map(credentialLink)),
        ' or ',
      );

const toExample = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value, null, 2);

const contentOf = (content: Content): Html =>
  html`${Object.entries(content).map(
    ([type, { schema, examples = {} }]) => html`<p><code>${type}</code>: ${typeOf(schema)}</p>
${Object.values(examples).map(
  ({
    summary,
    value,
  }) => html`<details><summary>${prose(summary)}</summary><pre tabindex="0"><code>${toExample(value)}</code></pre></details>
`,
)}`,
  )}`;

const parametersOf = (parameters: readonly Parameter[]): Html => html`<h4>Parameters</h4>
<div class="scroll" tabindex="0"><table><thead><tr><th>Name</th><th>In</th><th>Type</th><th>Meaning</th></tr></thead><tbody>${parameters.map(
  (
    one,
  ) => html`<tr><td><code>${one.name}</code>${one.required === true ? html`<br><span class="required">required</span>` : ''}</td><td>${one.in}</td><td>${typeOf(one.schema)}</td><td>${prose(one.description)}</td></tr>
`,
)}</tbody></table></div>`;

/** In a description, the codes come last. */
const CODES = / Codes: (.+)\.$/;

const responseText = (description: string): Html => {
  const codes = CODES.exec(description)?.[1]?.replaceAll('`', '').split(', ') ?? [];
  const words = prose(description.replace(CODES, ''));
  const links = codes.map((code) => html`<a href="#error-${code}">${code}</a>`);
  if (codes.length <= 4) return html`${words} ${joined(links, ', ')}`;
  return html`${words}<details><summary>${codes.length} codes</summary><ul class="codes">${links.map(
    (link) => html`<li>${link}</li>`,
  )}</ul></details>`;
};

const responsesOf = (responses: Operation['responses']): Html => html`<h4>Responses</h4>
<div class="scroll" tabindex="0"><table><thead><tr><th>Status</th><th>Meaning</th></tr></thead><tbody>${Object.entries(
  responses,
).map(
  ([status, { description, content }]) => html`<tr><td>${status}</td><td>${responseText(description)}${
    content === undefined ? '' : contentOf(content)
  }</td></tr>
`,
)}</tbody></table></div>`;

const operationOf = (call: Call, isEvent: boolean): Html => html`<article id="${call.operationId}">
<h3>${call.summary}</h3>
${
  isEvent
    ? ''
    : html`<p class="call"><span class="method ${call.method}">${call.method}</span> <span>${call.path}</span></p>
<p class="soft">Credential: ${accessOf(call)}</p>`
}
${call.description === undefined ? '' : html`<p>${prose(call.description)}</p>`}
${call.parameters === undefined ? '' : parametersOf(call.parameters)}
${call.requestBody === undefined ? '' : html`<h4>${isEvent ? 'Content' : 'Request body'}</h4>${contentOf(call.requestBody.content)}`}
${isEvent ? '' : responsesOf(call.responses)}
</article>
`;

const navigation = (
  { tags }: ApiDocument,
  calls: readonly Call[],
): Html => html`<nav aria-label="Contents"><details>
<summary>Contents</summary>
<b>Start</b><ul><li><a href="#credentials">Credentials</a></li></ul>
${tags.map(
  ({ name }) => html`<b>${name}</b><ul>${calls
    .filter((call) => call.tags.includes(name))
    .map((call) => html`<li><a href="#${call.operationId}">${call.summary}</a></li>`)}</ul>
`,
)}<b>Reference</b><ul><li><a href="#schemas">Schemas</a></li><li><a href="#errors">Errors</a></li></ul>
</details></nav>`;

const credentials = ({ components }: ApiDocument): Html => html`<h2 id="credentials">Credentials</h2>
<p>Send exactly one.</p>
<article><div class="scroll" tabindex="0"><table><thead><tr><th>Credential</th><th>Header</th><th>Meaning</th></tr></thead><tbody>${Object.entries(
  components.securitySchemes,
).map(
  ([name, scheme]) => html`<tr id="credential-${name}"><td>${CREDENTIALS[name] ?? name}</td><td><code>${
    scheme.name ?? 'Authorization: Bearer'
  }</code></td><td>${prose(scheme.description)}</td></tr>
`,
)}</tbody></table></div></article>`;

const schemas = ({ components }: ApiDocument): Html => html`<h2 id="schemas">Schemas</h2>
${Object.entries(components.schemas).map(
  ([name, schema]) => html`<article id="schema-${name}"><h3>${name}</h3>
${schema.description === undefined ? '' : html`<p>${prose(schema.description)}</p>`}
${schemaBody(schema)}</article>
`,
)}`;

const errors = (document: ApiDocument): Html => html`<h2 id="errors">Errors</h2>
<p>Each error response has its code, and says what to do in <code>remedy</code>. With a status of 200, the code is that of a warning.</p>
<article><div class="scroll" tabindex="0"><table><thead><tr><th>Code</th><th>Status</th><th>Fixed by</th><th>What happened</th></tr></thead><tbody>${Object.entries(
  document['x-error-catalogue'],
).map(
  ([
    code,
    { status, title, fixedBy },
  ]) => html`<tr id="error-${code}"><td><code>${code}</code></td><td>${status}</td><td>${fixedBy}</td><td>${prose(title)}</td></tr>
`,
)}</tbody></table></div></article>`;

/** The page of the API, from its document: without a script, and without anything of another host. */
export const toApiPage = (document: ApiDocument): string => {
  const { info, tags, paths, webhooks } = document;
  const events = callsOf(webhooks);
  const calls = [...callsOf(paths), ...events];
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>API of ${info.title}</title>
<style>${{ html: STYLE }}</style>
</head>
<body>
<a class="skip" href="#content">Skip the contents</a>
<div class="page">
${navigation(document, calls)}
<main id="content">
<header><h1>API of ${info.title}</h1>
<p class="soft">Version ${info.version}. For programs: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
<p>${prose(info.summary)} ${prose(info.description)}</p></header>
${credentials(document)}
${tags.map(
  ({ name, description }) => html`<section aria-labelledby="${idOf(name)}"><h2 id="${idOf(name)}">${name}</h2>
<p>${prose(description)}</p>
${calls.filter((call) => call.tags.includes(name)).map((call) => operationOf(call, events.includes(call)))}</section>
`,
)}
${schemas(document)}
${errors(document)}
</main>
</div>
</body>
</html>
`.html;
};
