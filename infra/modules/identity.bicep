metadata name = 'Identity'
metadata description = 'The user-assigned identity of the app. It can be granted roles before the app exists, and keeps them when the app is created again.'

@description('Required. Name of the identity.')
param name string

@description('Required. Region.')
param location string

@description('Required. Tags.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id of the identity.')
output id string = identity.id

@description('Client id: what the app gives to say which identity it means.')
output clientId string = identity.properties.clientId

@description('Object id of its service principal: what roles are assigned to.')
output principalId string = identity.properties.principalId
