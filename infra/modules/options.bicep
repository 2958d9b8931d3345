metadata name = 'Shapes of the parameters'
metadata description = 'The types are sealed: a name that is not known here stops the deployment, where the app would have ignored it.'

@export()
@sealed()
@description('Settings of the relay that have a default. docs/settings.md describes them.')
type RelaySettings = {
  CLIENT_CERTIFICATE_NAME: string?
  ENTRA_AUTHORITY: string?
  GRAPH_CLOUD: string?
  GRAPH_CONNECTIONS: string?
  GRAPH_CREDENTIAL: string?
  GRAPH_ENDPOINT: string?
  GRAPH_TIMEOUT_SECONDS: string?
  MAIL_ALLOWED_SENDERS: string?
  MAIL_BOUNCES: string?
  MAIL_BOUNCES_TO_OWNER: string?
  MAIL_CALLERS: string?
  MAIL_CALLER_QUEUES: string?
  MAIL_CAPTURE: string?
  MAIL_CONCURRENT_PER_MAILBOX: string?
  MAIL_DELIVERY: string?
  MAIL_ENABLED: string?
  MAIL_EVENTS: string?
  MAIL_EXTERNAL_RECIPIENTS_PER_DAY: string?
  MAIL_FACADES: string?
  MAIL_GIVE_UP_HOURS: string?
  MAIL_INTERNAL_DOMAINS: string?
  MAIL_LANGUAGE: string?
  MAIL_LARGE_ATTACHMENTS: string?
  MAIL_LEDGER_DAYS: string?
  MAIL_LEDGER_RECIPIENTS: string?
  MAIL_MAX_REQUEST_MB: string?
  MAIL_ONMICROSOFT_RECIPIENTS_PER_DAY: string?
  MAIL_ON_UNKNOWN: string?
  MAIL_OTHER_RECIPIENTS: string?
  MAIL_PER_MINUTE_PER_MAILBOX: string?
  MAIL_RECIPIENTS_PER_DAY_PER_MAILBOX: string?
  MAIL_RECIPIENT_DOMAINS: string?
  MAIL_REDIRECT_TO: string?
  MAIL_SENDING_LIMIT_SECONDS: string?
  MAIL_TRACE: string?
  MAIL_VERIFY_SECONDS: string?
  NODE_USE_ENV_PROXY: string?
  NO_PROXY: string?
  OPS_SIGN_IN: string?
  SECRET_ROTATION_DAYS: string?
  SECRET_WARNING_DAYS: string?
  SECRET_WARNING_RECIPIENTS: string?
}

@export()
@description('The names of RelaySettings: what a deployment keeps of the settings that the app has.')
var relaySettingNames = [
  'CLIENT_CERTIFICATE_NAME'
  'ENTRA_AUTHORITY'
  'GRAPH_CLOUD'
  'GRAPH_CONNECTIONS'
  'GRAPH_CREDENTIAL'
  'GRAPH_ENDPOINT'
  'GRAPH_TIMEOUT_SECONDS'
  'MAIL_ALLOWED_SENDERS'
  'MAIL_BOUNCES'
  'MAIL_BOUNCES_TO_OWNER'
  'MAIL_CALLERS'
  'MAIL_CALLER_QUEUES'
  'MAIL_CAPTURE'
  'MAIL_CONCURRENT_PER_MAILBOX'
  'MAIL_DELIVERY'
  'MAIL_ENABLED'
  'MAIL_EVENTS'
  'MAIL_EXTERNAL_RECIPIENTS_PER_DAY'
  'MAIL_FACADES'
  'MAIL_GIVE_UP_HOURS'
  'MAIL_INTERNAL_DOMAINS'
  'MAIL_LANGUAGE'
  'MAIL_LARGE_ATTACHMENTS'
  'MAIL_LEDGER_DAYS'
  'MAIL_LEDGER_RECIPIENTS'
  'MAIL_MAX_REQUEST_MB'
  'MAIL_ONMICROSOFT_RECIPIENTS_PER_DAY'
  'MAIL_ON_UNKNOWN'
  'MAIL_OTHER_RECIPIENTS'
  'MAIL_PER_MINUTE_PER_MAILBOX'
  'MAIL_RECIPIENTS_PER_DAY_PER_MAILBOX'
  'MAIL_RECIPIENT_DOMAINS'
  'MAIL_REDIRECT_TO'
  'MAIL_SENDING_LIMIT_SECONDS'
  'MAIL_TRACE'
  'MAIL_VERIFY_SECONDS'
  'NODE_USE_ENV_PROXY'
  'NO_PROXY'
  'OPS_SIGN_IN'
  'SECRET_ROTATION_DAYS'
  'SECRET_WARNING_DAYS'
  'SECRET_WARNING_RECIPIENTS'
]

@export()
@sealed()
@secure()
@description('Settings of the relay that are secrets themselves, or can have a password or a token in them: a parameter of their own, which no deployment shows afterwards.')
type SecretSettings = {
  ALL_PROXY: string?
  HTTPS_PROXY: string?
  HTTP_PROXY: string?
  MAIL_WEBHOOKS: string?
  SECRET_WARNING_WEBHOOK: string?
}

@export()
@description('The names of SecretSettings.')
var secretSettingNames = [
  'ALL_PROXY'
  'HTTPS_PROXY'
  'HTTP_PROXY'
  'MAIL_WEBHOOKS'
  'SECRET_WARNING_WEBHOOK'
]

@export()
@description('Addresses of the storage account, which a relay in another cloud than its tenant needs: docs/national-clouds.md. A deployment keeps these settings.')
var storageAddressNames = [
  'AzureWebJobsStorage__blobServiceUri'
  'AzureWebJobsStorage__queueServiceUri'
  'AzureWebJobsStorage__tableServiceUri'
]

@export()
@description('What the name of a setting for one connection begins with: docs/connections.md. A deployment keeps these settings.')
var connectionSettingPrefix = 'GRAPH_CONNECTION_'

@export()
@sealed()
@description('A further registration or tenant that sends for some senders. docs/connections.md describes the fields. It holds no secret.')
type Connection = {
  @description('Lower-case letters, digits and single dashes. Not main, which is the connection of the settings.')
  @minLength(1)
  @maxLength(40)
  name: string

  @description('Addresses, or *@domain.')
  @minLength(1)
  @maxLength(100)
  senders: string[]

  @description('Directory (tenant) ID, or a domain of the tenant.')
  tenantId: string

  @description('Application (client) ID.')
  @minLength(36)
  @maxLength(36)
  clientId: string

  @description('How the relay proves which application it is. Default: client-secret.')
  credential: ('client-secret' | 'certificate' | 'managed-identity' | 'federated')?

  @description('Name of the client secret in the vault. Default: graph-client-secret-<name>.')
  secretName: string?

  @description('Name of the certificate in the vault. Default: graph-client-certificate-<name>.')
  certificateName: string?

  @description('Cloud of the tenant. Default: that of the settings.')
  cloud: ('global' | 'usgov' | 'dod' | 'china')?

  @description('Address of the person who is also warned of its credential.')
  owner: string?

  @description('External recipients of its tenant in 24 hours. Default: not counted.')
  @minValue(1)
  externalRecipientsPerDay: int?

  @description('Accepted domains of its tenant, beside those of its senders. Default: none.')
  internalDomains: string[]?
}

@export()
@sealed()
@description('A queue into which only one caller writes.')
type CallerQueue = {
  @description('Name of the caller. Its queue is mail-<caller>.')
  caller: string

  @description('Object ids of the service principals of applications, and of managed identities, that may put emails into it. Default: none.')
  senders: string[]?
}

@export()
@sealed()
@description('A caller: an application that sends, and what it can do. docs/manage-callers.md describes the fields. It holds no keys.')
type Caller = {
  @description('Lower-case letters, digits and single dashes. It never changes.')
  @minLength(2)
  @maxLength(40)
  name: string

  @description('Addresses, or *@domain. Default: every sender that the settings allow.')
  @minLength(1)
  @maxLength(100)
  senders: string[]?

  @description('Sender of emails that name none. Default: the first of senders.')
  defaultSender: string?

  @description('Addresses, or *@domain. Default: everyone.')
  @minLength(1)
  @maxLength(100)
  recipients: string[]?

  @description('Emails from midnight to midnight UTC. Default: no limit.')
  @minValue(1)
  mailsPerDay: int?

  @description('Recipients from midnight to midnight UTC. Default: no limit.')
  @minValue(1)
  recipientsPerDay: int?

  @description('Bytes of the text and the files of one email. Default: no limit.')
  @minValue(1)
  maxMailBytes: int?

  @description('How it sends. Default: in every way.')
  doors: ('http' | 'queue')[]?

  @description('Whose emails it can look at. Default: own.')
  reads: ('own' | 'all')?

  @description('What happens on an unknown outcome. Default: MAIL_ON_UNKNOWN.')
  onUnknown: ('verify' | 'hold' | 'resend')?

  @description('Priority of its emails that say none, and the highest that they can have. Default: normal, and any.')
  priority: ('high' | 'normal' | 'bulk')?

  @description('Tags that all its emails have.')
  @maxLength(10)
  tags: string[]?

  @description('Address of the person who is notified about it.')
  owner: string?

  @description('Refuses it. Default: false.')
  disabled: bool?

  @description('Client ids of applications and managed identities in Entra that are this caller.')
  @maxLength(20)
  apps: string[]?

  @description('Holders of function keys that are this caller, as the ledger names them (key:...), never the keys.')
  @maxLength(10)
  functionKeys: string[]?
}

@export()
@sealed()
@description('What few installations need.')
type Options = {
  @description('Callers for those who keep them in source control. Default: those of the last deployment; for all others, npm run callers.')
  callers: Caller[]?

  @description('Further connections for those who keep them in source control. Default: those of the last deployment.')
  @maxLength(50)
  connections: Connection[]?

  @description('Node.js of the app. Default: 24.')
  nodeVersion: ('22' | '24')?

  @description('Memory of an instance. Default: 2048.')
  instanceMemoryMB: (512 | 2048 | 4096)?

  @description('Instances of one function at most. Some regions take no number below 40. Default: 40.')
  @minValue(1)
  @maxValue(1000)
  maximumInstanceCount: int?

  @description('Instances of deliverMail that always run, so that a lone email on the queue does not wait for a cold start. They cost money while idle. Default: 0.')
  @minValue(0)
  @maxValue(20)
  alwaysReady: int?

  @description('Callers with a queue of their own, and who may put emails into it. A deployment adds queues and removes none: also those that it does not name stay. Default: none.')
  callerQueues: CallerQueue[]?

  @description('The vault reports a secret or certificate that expires as soon as it knows, by Event Grid; without it, the relay looks once a day. A deployment adds it and never removes it. Default: false.')
  vaultEvents: bool?

  @description('Call /api/health from outside every 15 minutes and raise an alert if it does not respond. Default: true.')
  availabilityTest: bool?

  @description('Storage and vault respond inside a virtual network only. Default: false.')
  privateNetwork: bool?

  @description('Address space of that virtual network, /24 or larger. Default: 10.80.0.0/24.')
  networkAddressSpace: string?

  @description('Public IPv4 addresses or ranges from which administrators still reach storage and vault in spite of privateNetwork. Default: none.')
  operatorIpRanges: string[]?

  @description('Application (client) ID of the registration by which operators sign in to the operator page with Entra (docs/operator-page.md). A deployment without it changes nothing of their sign-in. Default: none; operators use the master key.')
  opsClientId: string?

  @description('Redundancy of the storage account that holds accepted email. Default: Standard_LRS.')
  storageSku: ('Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS')?

  @description('A deleted vault cannot be purged for 90 days. It can never be turned off again. Default: false.')
  purgeProtection: bool?

  @description('Days that logs are kept, 30 to 730. Default: 30.')
  logRetentionDays: int?

  @description('Tags of every resource, beside graph-mail-relay, which says to which relay it belongs. Default: none.')
  tags: object?
}
