metadata name = 'Graph Mail Relay'
metadata description = 'Everything the relay needs in Azure, in one resource group. The application that may send is registered by registration.bicep.'

targetScope = 'resourceGroup'

import { toCallerQueues } from 'modules/caller-queues.bicep'
import { toIpRules } from 'modules/ip-rules.bicep'
import { Options, RelaySettings, SecretSettings } from 'modules/options.bicep'

@description('Required. Application (client) id of the app registration that may send: the output clientId of registration.bicep.')
@minLength(36)
@maxLength(36)
param entraClientId string

@description('Required. Sender of emails that name none: a mailbox of the tenant, as noreply@contoso.com or Contoso <noreply@contoso.com>.')
@minLength(3)
param defaultSender string

@description('Optional. Name of this relay: letters, digits and, between them, dashes. It is part of the name of every resource.')
@minLength(2)
@maxLength(20)
param name string = 'mail-relay'

@description('Optional. Region of every resource.')
param location string = resourceGroup().location

@description('Optional. Further settings by name, as docs/settings.md lists them. A setting that is not named keeps the value that the app has; an empty value restores the default.')
param settings RelaySettings = {}

@description('Optional. Further settings that are secrets, by name. One that is not named keeps the value that the app has; an empty value removes it.')
param secretSettings SecretSettings = {}

@description('Optional. Email addresses that receive alerts and, unless SECRET_WARNING_RECIPIENTS is set, warnings of expiring secrets. With none, alerts appear in the portal only.')
param alertRecipients string[] = []

@description('Optional. Address of the package to deploy, which Azure downloads without signing in. If empty, no code is deployed.')
param packageUri string = ''

@description('Optional. What few installations need: Node.js version, instances, private network, tags and more.')
param options Options = {}

var clientSecretName = 'graph-client-secret'

// What Azure accepts in the names of all resources. A pattern cannot be said of a parameter.
var nameCharacters = map(range(0, length(name)), i => substring(toLower(name), i, 1))
var isNameValid = empty(filter(nameCharacters, c => !contains('abcdefghijklmnopqrstuvwxyz0123456789-', c))) && !startsWith(
  name,
  '-'
) && !endsWith(name, '-')
var relayName = isNameValid
  ? toLower(name)
  : fail('name: expected letters, digits and, between them, dashes, not \'${name}\'.')
var token = uniqueString(resourceGroup().id, relayName)
var suffix = '${relayName}-${token}'
var compactName = replace(relayName, '-', '')

var maximumInstanceCount = options.?maximumInstanceCount ?? 40
var alwaysReady = (options.?alwaysReady ?? 0) <= maximumInstanceCount
  ? options.?alwaysReady ?? 0
  : fail('options.alwaysReady: expected at most options.maximumInstanceCount (${maximumInstanceCount}), not ${options.?alwaysReady}.')

var isPrivate = options.?privateNetwork ?? false
var operatorIpRules = toIpRules(options.?operatorIpRanges ?? [])
// teardown.sh selects by this tag, also after a deployment that failed half way.
var tags = union(options.?tags ?? {}, { 'graph-mail-relay': relayName })

var callerQueues = toCallerQueues(settings.?MAIL_CALLER_QUEUES ?? '', options.?callerQueues ?? [])
var declaredCallers = options.?callers == null ? {} : { MAIL_CALLERS: string(options.?callers) }
var declaredConnections = options.?connections == null ? {} : { GRAPH_CONNECTIONS: string(options.?connections) }

// A list from an environment variable or a form has blanks after its commas.
var recipients = filter(map(alertRecipients, address => trim(address)), address => !empty(address))

module identity 'modules/identity.bicep' = {
  name: '${relayName}-identity'
  params: {
    name: 'id-${suffix}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: '${relayName}-monitoring'
  params: {
    suffix: suffix
    location: location
    identityPrincipalId: identity.outputs.principalId
    retentionDays: options.?logRetentionDays ?? 30
    tags: tags
  }
}

module storage 'modules/storage.bicep' = {
  name: '${relayName}-storage'
  params: {
    name: 'st${take(compactName, 9)}${token}'
    location: location
    sku: options.?storageSku ?? 'Standard_LRS'
    identityPrincipalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
    isPrivate: isPrivate
    operatorIpRules: operatorIpRules
    callerQueues: callerQueues
    tags: tags
  }
}

module vault 'modules/vault.bicep' = {
  name: '${relayName}-vault'
  params: {
    name: 'kv-${take(compactName, 7)}-${token}'
    location: location
    identityPrincipalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
    isPrivate: isPrivate
    operatorIpRules: operatorIpRules
    purgeProtection: options.?purgeProtection ?? false
    tags: tags
  }
}

module vaultEvents 'modules/vault-events.bicep' = if (options.?vaultEvents ?? false) {
  name: '${relayName}-vault-events'
  params: {
    name: 'evgt-${suffix}'
    location: location
    vaultName: vault.outputs.name
    storageAccountName: storage.outputs.name
    tags: tags
  }
}

module privateNetwork 'modules/private-network.bicep' = if (isPrivate) {
  name: '${relayName}-private-network'
  params: {
    suffix: suffix
    location: location
    addressSpace: options.?networkAddressSpace ?? '10.80.0.0/24'
    storageId: storage.outputs.id
    vaultId: vault.outputs.id
    tags: tags
    zoneTags: toObject(
      filter(items(options.?tags ?? {}), tag => tag.key != 'graph-mail-relay'),
      tag => tag.key,
      tag => tag.value
    )
  }
}

module functionApp 'modules/function-app.bicep' = {
  name: '${relayName}-function-app'
  params: {
    suffix: suffix
    location: location
    nodeVersion: options.?nodeVersion ?? '24'
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageAccountName: storage.outputs.name
    packageContainerUrl: storage.outputs.packageContainerUrl
    componentName: monitoring.outputs.componentName
    instanceMemoryMB: options.?instanceMemoryMB ?? 2048
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: alwaysReady
    settings: union(settings, declaredCallers, declaredConnections)
    secretSettings: secretSettings
    callersWithQueues: map(callerQueues, one => one.caller)
    alertRecipients: join(recipients, ',')
    fixedSettings: {
      KEY_VAULT_URL: vault.outputs.url
      CLIENT_SECRET_NAME: clientSecretName
      MAIL_DEFAULT_SENDER: defaultSender
      ENTRA_TENANT_ID: tenant().tenantId
      ENTRA_CLIENT_ID: entraClientId
    }
    packageUri: packageUri
    opsClientId: options.?opsClientId ?? ''
    subnetId: isPrivate ? privateNetwork!.outputs.appSubnetId : ''
    tags: tags
  }
}

module mailExpiry 'modules/mail-expiry.bicep' = {
  name: '${relayName}-mail-expiry'
  params: {
    storageAccountName: storage.outputs.name
    days: functionApp.outputs.ledgerDays
  }
}

module alerts 'modules/alerts.bicep' = {
  name: '${relayName}-alerts'
  params: {
    name: relayName
    location: location
    componentId: monitoring.outputs.componentId
    installedOn: monitoring.outputs.installedOn
    recipients: recipients
    appUrl: functionApp.outputs.url
    availabilityTest: options.?availabilityTest ?? true
    cloud: environment().name
    tags: tags
  }
}

module workbook 'modules/workbook.bicep' = {
  name: '${relayName}-workbook'
  params: {
    displayName: relayName
    location: location
    componentId: monitoring.outputs.componentId
    tags: tags
  }
}

@description('Name of the function app.')
output functionAppName string = functionApp.outputs.name

@description('Address of the function app, without a slash at the end.')
output functionAppUrl string = functionApp.outputs.url

@description('Name of the vault.')
output vaultName string = vault.outputs.name

@description('Resource id of the vault: the scope for Key Vault Secrets Officer, for the person who stores the client secret.')
output vaultId string = vault.outputs.id

@description('Name under which the app looks for the client secret in the vault.')
output clientSecretName string = clientSecretName

@description('Name of the storage account.')
output storageAccountName string = storage.outputs.name

@description('Client id of the identity of the app.')
output identityClientId string = identity.outputs.clientId

@description('Object id of the identity of the app: what a federated credential names, and what is allowed to send with the credential managed-identity.')
output identityPrincipalId string = identity.outputs.principalId

@description('Name of the Application Insights component.')
output applicationInsightsName string = monitoring.outputs.componentName
