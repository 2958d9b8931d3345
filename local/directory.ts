/** The pretend organisation behind the local cloud: its tenant, its app registrations and its mailboxes. */
export type Directory = {
  readonly tenantId: string;
  readonly tenantDomain: string;
  readonly apps: readonly AppRegistration[];
  readonly mailboxes: readonly Mailbox[];
  /** Other organisations in the same cloud, each with its own tenant. */
  readonly furtherTenants?: readonly Directory[];
  /** The service principal of Microsoft's application for message traces is there. */
  readonly hasTracePrincipal?: true;
  /** Policies for applications: https://learn.microsoft.com/graph/api/resources/applicationauthenticationmethodpolicy */
  readonly appPolicies?: {
    /** `passwordAddition`: no new client secrets. */
    readonly blocksPasswords?: boolean;
    /** `passwordLifetime`, in days. */
    readonly passwordDays?: number;
  };
};

export type AppRegistration = {
  readonly clientId: string;
  readonly displayName: string;
  readonly enabled: boolean;
  readonly secrets: readonly AppSecret[];
  /** Client ids of the applications that own this registration. */
  readonly owners?: readonly string[];
  /** Two where personal Microsoft accounts may sign in. */
  readonly mostSecrets?: number;
  /** Application permissions consented for the whole tenant: they appear as `roles` in the token. */
  readonly roles: readonly string[];
  /** Permissions granted by Exchange RBAC for Applications: never in the token, only for these mailboxes. */
  readonly exchangeRoles: readonly ExchangeRole[];
  /** There where other applications call this one with tokens: the version of the tokens that it asks for. */
  readonly api?: { readonly tokenVersion: 1 | 2 };
  /** Certificates of which it has the private keys (graph: keyCredential). */
  readonly certificates?: readonly AppCertificate[];
  /** Tokens of others by which it can be (graph: federatedIdentityCredential). */
  readonly federatedCredentials?: readonly FederatedCredential[];
  /** The registration alone was made, as the command line does it. */
  readonly hasNoEnterpriseApp?: true;
  /** It is the identity of an app in Azure, and has no credential of its own. */
  readonly isManagedIdentity?: true;
  /** App roles of other applications that were assigned to this one, by their client ids. */
  readonly assignedRoles?: Readonly<Record<string, readonly string[]>>;
};

export type AppSecret = {
  readonly value: string;
  readonly expiresOn: Date;
  /** A new secret is refused as wrong until it has reached all of Entra: 4 to 18 seconds were seen. */
  readonly usableFrom?: Date;
  /** Made from the value where it is not given. */
  readonly keyId?: string;
  readonly displayName?: string;
  readonly startsOn?: Date;
};

export type AppCertificate = {
  /** The certificate alone, as PEM. */
  readonly pem: string;
  /** When Entra counts it as expired; the end of the certificate unless told otherwise. */
  readonly expiresOn?: Date;
};

type FederatedCredential = {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
};

type ExchangeRole = { readonly role: string; readonly mailboxes: readonly string[] };

export type Mailbox = {
  /** Primary address. */
  readonly address: string;
  readonly displayName: string;
  /** Other addresses of the same mailbox; Graph finds the mailbox by them too. */
  readonly proxyAddresses: readonly string[];
  /** Addresses of other mailboxes it may send as (Send As in Exchange). */
  readonly sendAs: readonly string[];
  /** An account without an Exchange licence exists in the directory but cannot send. */
  readonly licensed: boolean;
};

export const LOCAL_CLIENT_ID = '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55';
/** An application that calls the relay with tokens. Its secret is known, as the function key of the local relay is. */
export const LOCAL_CALLER_ID = '3f0c2d6a-9a51-4b7e-8d0f-6c1f5b2a7e94';
export const LOCAL_CALLER_SECRET = 'local-caller-secret';
export const LOCAL_TENANT_ID = '2b6c3a0e-8f24-4c1d-b7a5-61f0a9d3e812';

/** The registration of Fabrikam, through which the relay sends for the mailboxes of that tenant. */
export const FABRIKAM_CLIENT_ID = '5a0c8b1d-47f0-4d0e-9a3b-2f6f0c1de871';
export const FABRIKAM_TENANT_ID = 'c4e1f7a2-6b0d-4f38-92ce-7d5a1b8e3f60';

/** This tenant and those beside it. */
export const tenantsOf = (directory: Directory): readonly Directory[] => [
  directory,
  ...(directory.furtherTenants ?? []),
];

/** The tenant with this id or domain. */
export const findTenant = (directory: Directory, idOrDomain: string): Directory | undefined =>
  tenantsOf(directory).find(({ tenantId, tenantDomain }) =>
    [tenantId, tenantDomain].includes(idOrDomain.toLowerCase()),
  );

const mailbox = (address: string, displayName: string, rest: Partial<Mailbox> = {}): Mailbox => ({
  address,
  displayName,
  proxyAddresses: [],
  sendAs: [],
  licensed: true,
  ...rest,
});

/**
 * The directory once an administrator has allowed what these settings of the relay need: drafts need Mail.ReadWrite, and reports
 * Mail.Read, which is part of it.
 */
export const allowedFor =
  ({
    MAIL_BOUNCES,
    MAIL_LARGE_ATTACHMENTS,
    MAIL_DELIVERY,
    MAIL_TRACE,
    SECRET_ROTATION_DAYS = '',
  }: Readonly<Record<string, string>>) =>
  (usual: Directory): Directory => {
    const drafts = MAIL_LARGE_ATTACHMENTS === 'true' || MAIL_DELIVERY === 'exact';
    const allow = withRole(drafts ? 'Mail.ReadWrite' : 'Mail.Read');
    const allowed =
      drafts || MAIL_BOUNCES === 'true'
        ? {
            ...allow(usual),
            ...(usual.furtherTenants && { furtherTenants: usual.furtherTenants.map(allow) }),
          }
        : usual;
    const traced = MAIL_TRACE === 'true' ? mayTrace(allowed) : allowed;
    return SECRET_ROTATION_DAYS === '' ? traced : mayRenewItsSecret(traced);
  };

const changeApps =
  (isMeant: (app: AppRegistration) => boolean, change: (app: AppRegistration) => AppRegistration) =>
  (directory: Directory): Directory => ({
    ...directory,
    apps: directory.apps.map((app) => (isMeant(app) ? change(app) : app)),
  });

const withRole = (role: string) =>
  changeApps(
    ({ clientId, isManagedIdentity = false }) =>
      clientId === LOCAL_CLIENT_ID || clientId === FABRIKAM_CLIENT_ID || isManagedIdentity,
    (app) => ({ ...app, roles: [...app.roles, role] }),
  );

/** The directory in which message traces can be read; Mail.Read, so that the Message-ID of each email is known. */
export const mayTrace = (usual: Directory): Directory => {
  const traced = withRole('Mail.Read')(withRole('ExchangeMessageTrace.Read.All')(usual));
  return {
    ...traced,
    hasTracePrincipal: true,
    ...(usual.furtherTenants && { furtherTenants: usual.furtherTenants.map(mayTrace) }),
  };
};

/** The directory in which the relay owns its registration and may change what it owns. */
export const mayRenewItsSecret = changeApps(
  ({ clientId }) => clientId === LOCAL_CLIENT_ID,
  (app) => ({
    ...app,
    roles: [...app.roles, 'Application.ReadWrite.OwnedBy'],
    owners: [LOCAL_CLIENT_ID],
  }),
);

/**
 * Contoso, ready to send: one app with tenant-wide Mail.Send and a secret that is valid for a year, and an application that may call it.
 */
export const contoso = (secret: string, now: Date): Directory => ({
  tenantId: LOCAL_TENANT_ID,
  tenantDomain: 'contoso.example',
  apps: [
    {
      clientId: LOCAL_CLIENT_ID,
      displayName: 'Graph Mail Relay',
      enabled: true,
      secrets: [{ value: secret, expiresOn: new Date(now.getTime() + 365 * 86_400_000) }],
      roles: ['Mail.Send'],
      exchangeRoles: [],
      api: { tokenVersion: 2 },
    },
    {
      clientId: LOCAL_CALLER_ID,
      displayName: 'Payroll',
      enabled: true,
      secrets: [{ value: LOCAL_CALLER_SECRET, expiresOn: new Date(now.getTime() + 365 * 86_400_000) }],
      roles: [],
      exchangeRoles: [],
      assignedRoles: { [LOCAL_CLIENT_ID]: ['Mail.Submit'] },
    },
  ],
  mailboxes: [
    mailbox('noreply@contoso.example', 'Contoso'),
    mailbox('payroll@contoso.example', 'Contoso Payroll', {
      proxyAddresses: ['payslips@contoso.example'],
      sendAs: ['hr@contoso.example'],
    }),
    mailbox('hr@contoso.example', 'Contoso HR'),
    mailbox('helpdesk@contoso.example', 'Contoso Help Desk'),
    mailbox('guest@contoso.example', 'Guest without a mailbox', { licensed: false }),
  ],
});

/** Fabrikam, whose emails the relay of Contoso can send: a tenant, a registration and mailboxes of its own. */
export const fabrikam = (secret: string, now: Date): Directory => ({
  tenantId: FABRIKAM_TENANT_ID,
  tenantDomain: 'fabrikam.example',
  apps: [
    {
      clientId: FABRIKAM_CLIENT_ID,
      displayName: 'Graph Mail Relay for Fabrikam',
      enabled: true,
      secrets: [{ value: secret, expiresOn: new Date(now.getTime() + 365 * 86_400_000) }],
      roles: ['Mail.Send', 'Mail.Read'],
      exchangeRoles: [],
    },
  ],
  mailboxes: [
    mailbox('noreply@fabrikam.example', 'Fabrikam'),
    mailbox('invoices@fabrikam.example', 'Fabrikam Invoices'),
  ],
});

/** As whom the local relay sends: every address of Contoso, and one where an email names none. */
export const LOCAL_SENDERS = {
  MAIL_DEFAULT_SENDER: 'Contoso <noreply@contoso.example>',
  MAIL_ALLOWED_SENDERS: '*@contoso.example',
} as const;
