metadata name = 'Graph Mail Relay'
metadata description = 'Everything the relay needs in Azure, in one resource group. The application that may send is registered by registration.bicep.'

targetScope = 'resourceGroup'

import { CallerAuth, Options, RelaySettings } from 'modules/options.bicep'

@description('Required. Application (client) id of the app registration that may send: the output clientId of registration.bicep.')
@minLength(36)
@maxLength(36)
param entraClientId string

@description('Required. Sender of mails that name none: a mailbox of the tenant, as noreply@contoso.com or Contoso <noreply@contoso.com>.')
@minLength(3)
param defaultSender string

@description('Optional. Name of this relay: letters, digits and dashes. It is part of the name of every resource.')
@minLength(2)
@maxLength(20)
param name string = 'mail-relay'

@description('Optional. Region of every resource.')
param location string = resourceGroup().location

@description('Optional. Further settings by name, as docs/settings.md lists them.')
param settings RelaySettings = {}

@description('Optional. Mail addresses that alerts go to. With none, alerts show in the portal only.')
param alertRecipients string[] = []

@description('Optional. How callers prove who they are: key (function key), or entra (function key and a token of an allowed application).')
param callerAuth CallerAuth = 'key'

@description('Optional. What few installations need: Node.js version, allowed callers, private network, tags and more.')
param options Options = {}

var clientSecretName = 'graph-client-secret'
// As long as the ledger remembers a mail: what is older belongs to a mail that nobody can look up any more.
var mailDays = int(settings.?MAIL_LEDGER_DAYS ?? '90')

var relayName = toLower(name)
var token = uniqueString(resourceGroup().id, relayName)
var suffix = '${relayName}-${token}'
var compactName = replace(relayName, '-', '')

var isPrivate = options.?privateNetwork ?? false
var operatorIpRanges = options.?operatorIpRanges ?? []
var tags = options.?tags ?? {}

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
    mailDays: mailDays
    isPrivate: isPrivate
    operatorIpRanges: operatorIpRanges
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
    operatorIpRanges: operatorIpRanges
    purgeProtection: options.?purgeProtection ?? false
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
    settings: union(settings, {
      KEY_VAULT_URL: vault.outputs.url
      CLIENT_SECRET_NAME: clientSecretName
      MAIL_DEFAULT_SENDER: defaultSender
    })
    callerAuth: callerAuth
    entraClientId: entraClientId
    allowedCallers: options.?allowedCallers ?? []
    subnetId: isPrivate ? privateNetwork!.outputs.appSubnetId : ''
    tags: tags
  }
}

module alerts 'modules/alerts.bicep' = {
  name: '${relayName}-alerts'
  params: {
    name: relayName
    location: location
    componentId: monitoring.outputs.componentId
    installedOn: monitoring.outputs.installedOn
    recipients: alertRecipients
    tags: tags
  }
}

@description('Name of the function app.')
output functionAppName string = functionApp.outputs.name

@description('Address of the function app, without a slash at the end.')
output functionAppUrl string = functionApp.outputs.url

@description('Name of the vault.')
output vaultName string = vault.outputs.name

@description('Resource id of the vault: the scope for Key Vault Secrets Officer, for whoever stores the client secret.')
output vaultId string = vault.outputs.id

@description('Name under which the app looks for the client secret in the vault.')
output clientSecretName string = clientSecretName

@description('Name of the storage account.')
output storageAccountName string = storage.outputs.name

@description('Client id of the identity of the app.')
output identityClientId string = identity.outputs.clientId

@description('Object id of the identity of the app: what registration.bicep federates in the mode without secrets.')
output identityPrincipalId string = identity.outputs.principalId

@description('Name of the Application Insights component.')
output applicationInsightsName string = monitoring.outputs.componentName
