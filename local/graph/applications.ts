import { randomBytes, randomUUID, X509Certificate } from 'node:crypto';
import { v5 as uuidFromName } from 'uuid';
import { z } from 'zod';
import type { AppCertificate, AppRegistration, AppSecret, Directory } from '../directory.ts';
import { BodyTooLargeError, readBody } from '../http.ts';
import type { Caller } from './authenticate.ts';
import type { GraphState, KnownCall } from './call.ts';
import { type GraphAnswer, toJsonAnswer } from './graph-answer.ts';
import { GraphError } from './graph-error.ts';
import { bodyUnreadable, contentTypeUnsupported, methodNotAllowed, segmentUnknown } from './refusals.ts';

type Run = (call: KnownCall, graph: GraphState) => Promise<GraphAnswer>;
type RunOnApp = (call: KnownCall, graph: GraphState, app: AppRegistration) => Promise<GraphAnswer>;

const BODY_BYTES = 64 * 1024;
const YEAR_MS = 365 * 86_400_000;
const HINT_CHARACTERS = 3;

const PATH = /^\/v1\.0\/applications\(appId='([^'/]*)'\)(?:\/([^/]*))?$/i;
const READ = ['Application.Read.All', 'Application.ReadWrite.All', 'Directory.Read.All'];
const WRITE = ['Application.ReadWrite.All'];
const OWNED = 'Application.ReadWrite.OwnedBy';

/** What the relay asks about its registration; undefined for another path. Applications are found by client id alone. */
export const findApplicationCall = (method: string, pathname: string): Run | undefined => {
  if (!/^\/v1\.0\/applications(?![^(/])/.test(pathname)) return undefined;
  const [, clientId, action = ''] = PATH.exec(decodeURIComponent(pathname)) ?? [];
  if (clientId === undefined) throw segmentUnknown('applications');
  const known = ACTIONS[action];
  if (known === undefined) throw segmentUnknown(action);
  if (method !== known.method) throw methodNotAllowed(known.method);
  return async (call, graph) => {
    const app = call.caller.tenant.apps.find((one) => one.clientId === clientId.toLowerCase());
    if (app === undefined) throw applicationUnknown(clientId);
    requireRole(call.caller, app, known.roles);
    return known.run(call, graph, app);
  };
};

const applicationUnknown = (clientId: string) =>
  new GraphError(
    404,
    'Request_ResourceNotFound',
    `Resource '${clientId}' does not exist or one of its queried reference-property objects are not present.`,
  );

/** A role for all applications, or the one for those that the caller owns. */
const requireRole = ({ roles, app: { clientId } }: Caller, app: AppRegistration, all: readonly string[]) => {
  const isOwner = (app.owners ?? []).includes(clientId);
  if (roles.some((role) => all.includes(role)) || (roles.includes(OWNED) && isOwner)) return;
  throw new GraphError(
    403,
    'Authorization_RequestDenied',
    'Insufficient privileges to complete the operation.',
  );
};

const objectIdOf = (directory: Directory, { clientId }: AppRegistration) =>
  uuidFromName(clientId, directory.tenantId);

/** The directory gives secrets that were there at the start no key id. */
const keyIdOf = (directory: Directory, { keyId, value }: AppSecret) =>
  keyId ?? uuidFromName(value, directory.tenantId);

const toPasswordCredential = (directory: Directory, secret: AppSecret) => ({
  customKeyIdentifier: null,
  displayName: secret.displayName ?? null,
  endDateTime: secret.expiresOn.toISOString(),
  hint: secret.value.slice(0, HINT_CHARACTERS),
  keyId: keyIdOf(directory, secret),
  secretText: null,
  startDateTime: (secret.startsOn ?? new Date(secret.expiresOn.getTime() - YEAR_MS)).toISOString(),
});

const toKeyCredential = (directory: Directory, { pem, expiresOn }: AppCertificate) => {
  const { subject, fingerprint, raw, validFromDate, validToDate } = new X509Certificate(pem);
  return {
    customKeyIdentifier: Buffer.from(fingerprint.replaceAll(':', ''), 'hex').toString('base64'),
    displayName: subject,
    endDateTime: (expiresOn ?? validToDate).toISOString(),
    key: raw.toString('base64'),
    keyId: uuidFromName(fingerprint, directory.tenantId),
    startDateTime: validFromDate.toISOString(),
    type: 'AsymmetricX509Cert',
    usage: 'Verify',
  };
};

const SELECTED = 'id,passwordCredentials,keyCredentials';

/** Only with the `$select` that the relay uses: without it the real one gives everything but keys. */
const read: RunOnApp = async ({ url, caller: { tenant } }, _graph, app) => {
  const select = url.searchParams.get('$select');
  if (select !== SELECTED)
    throw new GraphError(
      400,
      'BadRequest',
      `This stand-in expects $select=${SELECTED}, received ${select ?? 'none'}.`,
    );
  return toJsonAnswer(200, {
    '@odata.context': `${url.origin}/v1.0/$metadata#applications(${SELECTED})/$entity`,
    id: objectIdOf(tenant, app),
    passwordCredentials: app.secrets.map((secret) => toPasswordCredential(tenant, secret)),
    keyCredentials: (app.certificates ?? []).map((one) => toKeyCredential(tenant, one)),
  });
};

const day = z.iso.datetime().transform((text) => new Date(text));
const additionSchema = z.strictObject({
  passwordCredential: z
    .strictObject({
      displayName: z.string().max(120).optional(),
      startDateTime: day.optional(),
      endDateTime: day.optional(),
    })
    .optional(),
});
const removalSchema = z.strictObject({ keyId: z.guid() });

const addPassword: RunOnApp = async (call, graph, app) => {
  const { passwordCredential: asked = {} } = await readJson(call, additionSchema);
  const startsOn = asked.startDateTime ?? call.at;
  const expiresOn = asked.endDateTime ?? new Date(startsOn.getTime() + 2 * YEAR_MS);
  if (expiresOn <= startsOn)
    throw new GraphError(400, 'InvalidKeyEndDate', 'Key credential end date is invalid.');
  const { tenant } = call.caller;
  requirePolicy(tenant, app, (expiresOn.getTime() - startsOn.getTime()) / (YEAR_MS / 365));

  const secret: AppSecret = {
    value: randomBytes(30).toString('base64url'),
    keyId: randomUUID(),
    displayName: asked.displayName ?? '',
    startsOn,
    expiresOn,
    usableFrom: new Date(call.at.getTime() + graph.settings().newSecretDelayMs),
  };
  graph.changeDirectory(withSecrets(tenant, app, (secrets) => [...secrets, secret]));
  return toJsonAnswer(200, {
    '@odata.context': `${call.url.origin}/v1.0/$metadata#microsoft.graph.passwordCredential`,
    ...toPasswordCredential(tenant, secret),
    secretText: secret.value,
  });
};

/** Answers that people have published; the policy's own id is in them, and no number of days. */
const requirePolicy = ({ appPolicies = {} }: Directory, app: AppRegistration, days: number): void => {
  const policy = "'538f1913-366a-440a-95a0-e195cb55b282'";
  if (appPolicies.blocksPasswords)
    throw new GraphError(
      400,
      'CredentialTypeNotAllowedAsPerAppPolicy',
      `Credential type not allowed as per assigned policy ${policy}.`,
    );
  if (days > (appPolicies.passwordDays ?? Number.POSITIVE_INFINITY))
    throw new GraphError(
      400,
      'CredentialInvalidLifetimeAsPerAppPolicy',
      `Credential lifetime exceeds the max value allowed as per assigned policy ${policy}.`,
    );
  const { mostSecrets = Number.POSITIVE_INFINITY, secrets } = app;
  if (secrets.length >= mostSecrets)
    throw new GraphError(
      400,
      'TooManyAppPasswords',
      `Not allowed to add ${secrets.length + 1} passwords. You can only add a maximum of ${mostSecrets} passwords.`,
    );
};

const removePassword: RunOnApp = async (call, graph, app) => {
  const { keyId } = await readJson(call, removalSchema);
  const { tenant } = call.caller;
  const isIt = (secret: AppSecret) => keyIdOf(tenant, secret) === keyId.toLowerCase();
  if (!app.secrets.some(isIt))
    throw new GraphError(400, 'Request_BadRequest', `No password credential found with keyId ${keyId}.`);
  graph.changeDirectory(withSecrets(tenant, app, (secrets) => secrets.filter((secret) => !isIt(secret))));
  return { kind: 'answer', status: 204 };
};

/** The directory in which an application of one tenant has other secrets. */
const withSecrets =
  (
    { tenantId }: Directory,
    { clientId }: AppRegistration,
    change: (secrets: readonly AppSecret[]) => readonly AppSecret[],
  ) =>
  (directory: Directory): Directory => {
    const changed = (tenant: Directory): Directory =>
      tenant.tenantId === tenantId
        ? {
            ...tenant,
            apps: tenant.apps.map((app) =>
              app.clientId === clientId ? { ...app, secrets: change(app.secrets) } : app,
            ),
          }
        : tenant;
    const { furtherTenants = [] } = directory;
    return { ...changed(directory), furtherTenants: furtherTenants.map(changed) };
  };

const ACTIONS: Readonly<
  Record<string, { readonly method: string; readonly roles: readonly string[]; readonly run: RunOnApp }>
> = {
  '': { method: 'GET', roles: READ, run: read },
  addPassword: { method: 'POST', roles: WRITE, run: addPassword },
  removePassword: { method: 'POST', roles: WRITE, run: removePassword },
};

const readJson = async <Body>({ request }: KnownCall, schema: z.ZodType<Body>): Promise<Body> => {
  const contentType = request.headers['content-type'];
  if (!/^application\/json *(;|$)/i.test(contentType ?? '')) throw contentTypeUnsupported(contentType);
  const bytes = await readBody(request, BODY_BYTES).catch((error: unknown) => {
    throw error instanceof BodyTooLargeError ? bodyUnreadable(error.message) : error;
  });
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    throw bodyUnreadable(
      error instanceof z.ZodError ? z.prettifyError(error) : 'The request body is not valid JSON.',
    );
  }
};
