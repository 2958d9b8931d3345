metadata name = 'Vault'
metadata description = 'Holds the client secret. Access by roles only.'

import { roleIds } from 'role-ids.bicep'

@description('Required. Name of the vault.')
@minLength(3)
@maxLength(24)
param name string

@description('Required. Region.')
param location string

@description('Required. Object id of the identity that reads secrets.')
param identityPrincipalId string

@description('Required. Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Required. Closed to the public network.')
param isPrivate bool

@description('Required. Addresses and ranges that the firewall lets in all the same.')
param operatorIpRules string[]

@description('Required. Protect a deleted vault from being purged.')
param purgeProtection bool

@description('Required. Tags.')
param tags object

// The whole vault, not one secret: the daily check lists every secret with its expiry date.
var readerRole = roleIds['Key Vault Secrets User']

// Earlier versions retire on 27 February 2027: https://learn.microsoft.com/azure/key-vault/general/access-control-default
resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    // Resource Manager refuses false; what is not wanted has to be left out.
    enablePurgeProtection: purgeProtection ? true : null
    publicNetworkAccess: isPrivate && empty(operatorIpRules) ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
      ipRules: [
        for range in operatorIpRules: {
          value: range
        }
      ]
    }
  }
}

resource vault_roleAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, identityPrincipalId, readerRole)
  scope: vault
  properties: {
    principalId: identityPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', readerRole)
  }
}

// Who read which secret, and when.
resource vault_diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
  }
}

@description('Resource id of the vault.')
output id string = vault.id

@description('Name of the vault.')
output name string = vault.name

@description('Address of the vault.')
output url string = vault.properties.vaultUri
