import { app, type HttpRequest, type HttpResponseInit, type InvocationContext } from '@azure/functions';
import { ClientSecretCredential, ManagedIdentityCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';
import { Client } from '@microsoft/microsoft-graph-client';
import { TokenCredentialAuthenticationProvider } from '@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js';

/**
 * The relay that a tutorial leads to: the SDKs with their defaults, the secret read once, the client kept, no ledger, no
 * queue. It sends an email twice or loses it whenever a response is lost. It is what the relay is measured against.
 */
const setting = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`The setting ${name} is missing.`);
  return value;
};

const openGraph = async (): Promise<Client> => {
  const vault = new SecretClient(
    setting('KEY_VAULT_URL'),
    new ManagedIdentityCredential({ clientId: setting('AZURE_CLIENT_ID') }),
    { disableChallengeResourceVerification: true }, // The vault is on this machine.
  );
  const { value: secret = '' } = await vault.getSecret(setting('CLIENT_SECRET_NAME'));
  const credential = new ClientSecretCredential(
    setting('ENTRA_TENANT_ID'),
    setting('ENTRA_CLIENT_ID'),
    secret,
    { authorityHost: setting('ENTRA_AUTHORITY'), disableInstanceDiscovery: true }, // So is Entra.
  );
  const endpoint = setting('GRAPH_ENDPOINT');
  return Client.initWithMiddleware({
    authProvider: new TokenCredentialAuthenticationProvider(credential, { scopes: [`${endpoint}/.default`] }),
    baseUrl: `${endpoint}/`,
    customHosts: new Set([new URL(endpoint).hostname]), // And so is Graph.
  });
};

let graph: Promise<Client> | undefined;

const sendMail = async (request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> => {
  const mail = (await request.json()) as NaiveMail;
  if (!mail.from || !mail.to || !mail.subject)
    return { status: 400, jsonBody: { error: 'from, to and subject are required' } };
  graph ??= openGraph();
  await (await graph).api(`/users/${mail.from}/sendMail`).post({
    message: {
      subject: mail.subject,
      body: { contentType: 'html', content: mail.html },
      toRecipients: [{ emailAddress: { address: mail.to } }],
      attachments: mail.attachments?.map(({ filename, content }) => ({
        '@odata.type': '#microsoft.graph.fileAttachment',
        name: filename,
        contentBytes: content,
      })),
    },
  });
  context.log('sent');
  return { status: 200, jsonBody: { state: 'sent' } };
};

type NaiveMail = {
  readonly from?: string;
  readonly to?: string;
  readonly subject?: string;
  readonly html?: string;
  readonly attachments?: readonly { readonly filename: string; readonly content: string }[];
};

app.http('sendMail', { methods: ['POST'], route: 'mail', authLevel: 'function', handler: sendMail });
