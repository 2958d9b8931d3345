metadata name = 'Events of the vault'
metadata description = 'The vault reports to a queue of the relay what expires, through Event Grid and with an identity that can do nothing else.'

import { roleIds } from 'role-ids.bicep'

@description('Required. Name of the system topic.')
param name string

@description('Required. Region of the vault.')
param location string

@description('Required. Name of the vault.')
param vaultName string

@description('Required. Name of the storage account that has the queue vault-events.')
param storageAccountName string

@description('Required. Tags.')
param tags object

// https://learn.microsoft.com/azure/event-grid/event-schema-key-vault. The vault reports what is near its expiry 30 days before.
var eventTypes = [
  'Microsoft.KeyVault.SecretNearExpiry'
  'Microsoft.KeyVault.SecretExpired'
  'Microsoft.KeyVault.CertificateNearExpiry'
  'Microsoft.KeyVault.CertificateExpired'
]

// An event matters for days; the daily check finds the same without it.
var keptSeconds = 604800

var senderRole = roleIds['Storage Queue Data Message Sender']

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
}

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: storageAccountName

  resource queueService 'queueServices' existing = {
    name: 'default'

    resource queue 'queues' existing = {
      name: 'vault-events'
    }
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: vault.id
    topicType: 'Microsoft.KeyVault.vaults'
  }
}

resource queue_roleAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account::queueService::queue.id, topic.id, senderRole)
  scope: account::queueService::queue
  properties: {
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', senderRole)
  }
}

resource expiry 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'expiry'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    filter: {
      includedEventTypes: eventTypes
    }
    deliveryWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      destination: {
        endpointType: 'StorageQueue'
        properties: {
          resourceId: account.id
          queueName: 'vault-events'
          queueMessageTimeToLiveInSeconds: keptSeconds
        }
      }
    }
  }
  dependsOn: [
    queue_roleAssignment
  ]
}
