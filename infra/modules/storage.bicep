metadata name = 'Storage'
metadata description = 'The storage account of the app: queues, payloads, ledger, the package, and what the Functions host keeps for itself. It has keys that open nothing.'

import { CallerQueue } from 'options.bicep'
import { roleIds } from 'role-ids.bicep'

@description('Required. Name of the account.')
@minLength(3)
@maxLength(24)
param name string

@description('Required. Region.')
param location string

@description('Required. Redundancy.')
param sku string

@description('Required. Object id of the identity of the app.')
param identityPrincipalId string

@description('Required. Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Required. Closed to the public network.')
param isPrivate bool

@description('Required. Addresses and ranges that the firewall lets in all the same.')
param operatorIpRules string[]

@description('Required. Callers with a queue of their own.')
param callerQueues CallerQueue[]

@description('Required. Tags.')
param tags object

var packageContainer = 'app-package'
var containerNames = [
  packageContainer
  'mail-payloads'
  'mail-held'
  'mail-captured'
  'mail-attachments'
]
// All of them are made here: the trigger polls a missing queue for ever without a word.
var queueNames = [
  'mail'
  'mail-poison'
  'mail-events'
  'vault-events'
  'vault-events-poison'
  'webhook-events'
  'webhook-events-poison'
]
var callerQueueNames = flatten(map(callerQueues, one => ['mail-${one.caller}', 'mail-${one.caller}-poison']))
var allQueueNames = concat(queueNames, callerQueueNames)
var tableNames = [
  'mailledger'
]

// The account, because the host makes containers (leases, keys) and tables (diagnostic events) of its own in it.
var accountRoles = [
  'Storage Blob Data Owner'
  'Storage Table Data Contributor'
]
// Contributor, though the documentation names Reader and Message Processor for a trigger: returning a failed
// message and renewing a lease are updates, which those two may not do (azure-docs issue 120932).
var queueRole = roleIds['Storage Queue Data Contributor']

// On the one queue, and not on its poison queue: what an application puts there would be held without having been tried.
var senderRole = roleIds['Storage Queue Data Message Sender']
var queueSenders = flatten(map(
  range(0, length(callerQueues)),
  i =>
    map(callerQueues[i].?senders ?? [], sender => {
      principalId: sender
      queue: length(queueNames) + 2 * i
    })
))

var changes = [
  { category: 'StorageWrite', enabled: true }
  { category: 'StorageDelete', enabled: true }
]

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: isPrivate && empty(operatorIpRules) ? 'Disabled' : 'Enabled'
    networkAcls: {
      // The lifecycle rule deletes the content of old emails, and a firewall can block it without this exception:
      // https://learn.microsoft.com/azure/storage/blobs/lifecycle-management-overview
      bypass: 'AzureServices'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
      ipRules: [
        for range in operatorIpRules: {
          action: 'Allow'
          value: range
        }
      ]
    }
  }
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' = {
  parent: account
  name: 'default'
  properties: {
    // Mail that was sent is deleted, and deleted is meant to be gone.
    deleteRetentionPolicy: {
      enabled: false
    }
    containerDeleteRetentionPolicy: {
      enabled: false
    }
  }
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = [
  for containerName in containerNames: {
    parent: blobService
    name: containerName
    properties: {
      publicAccess: 'None'
    }
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2024-01-01' = {
  parent: account
  name: 'default'
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices/queues@2024-01-01' = [
  for queueName in allQueueNames: {
    parent: queueService
    name: queueName
  }
]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2024-01-01' = {
  parent: account
  name: 'default'
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2024-01-01' = [
  for tableName in tableNames: {
    parent: tableService
    name: tableName
  }
]

resource account_roleAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in accountRoles: {
    name: guid(account.id, identityPrincipalId, roleIds[role])
    scope: account
    properties: {
      principalId: identityPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[role])
    }
  }
]

resource queue_roleAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for i in range(0, length(allQueueNames)): {
    name: guid(queues[i].id, identityPrincipalId, queueRole)
    scope: queues[i]
    properties: {
      principalId: identityPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', queueRole)
    }
  }
]

resource queueSender_roleAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for sender in queueSenders: {
    name: guid(queues[sender.queue].id, sender.principalId, senderRole)
    scope: queues[sender.queue]
    properties: {
      principalId: sender.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', senderRole)
    }
  }
]

// Who read or deleted an email, and who wrote anything: the package and the keys of the host are blobs of this account, so
// anyone who can write blobs controls the relay. The host's own renewals of leases are among the writes. Reads of queues
// and tables are left out: the trigger polls its queue every few seconds. In the workspace they are the tables StorageBlobLogs,
// StorageQueueLogs and StorageTableLogs.
resource blobService_diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: blobService
  properties: {
    workspaceId: workspaceId
    logs: concat(changes, [{ category: 'StorageRead', enabled: true }])
  }
}

resource queueService_diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: queueService
  properties: {
    workspaceId: workspaceId
    logs: changes
  }
}

resource tableService_diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: tableService
  properties: {
    workspaceId: workspaceId
    logs: changes
  }
}

@description('Resource id of the account.')
output id string = account.id

@description('Name of the account.')
output name string = account.name

@description('Address of the container that the package is deployed to.')
output packageContainerUrl string = '${account.properties.primaryEndpoints.blob}${packageContainer}'
