metadata name = 'Monitoring'
metadata description = 'Log Analytics and Application Insights. Telemetry is accepted from identities only, never with the key in a connection string.'

import { roleIds } from 'role-ids.bicep'

@description('Required. Ending of the names.')
param suffix string

@description('Required. Region.')
param location string

@description('Required. Object id of the identity that sends telemetry.')
param identityPrincipalId string

@description('Required. Days that logs are kept.')
@minValue(30)
@maxValue(730)
param retentionDays int

@description('Required. Tags.')
param tags object

var publisherRole = roleIds['Monitoring Metrics Publisher']

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: 'log-${suffix}'
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${suffix}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
    // All of it: the one line that an alert waits for may not be among those left out. host.json says the same of the app.
    SamplingPercentage: 100
  }
}

resource component_roleAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(component.id, identityPrincipalId, publisherRole)
  scope: component
  properties: {
    principalId: identityPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', publisherRole)
  }
}

@description('Resource id of the workspace.')
output workspaceId string = workspace.id

@description('Resource id of the Application Insights component.')
output componentId string = component.id

@description('Name of the Application Insights component.')
output componentName string = component.name

@description('When the component was made, which is when the relay was installed.')
output installedOn string = component.properties.CreationDate
