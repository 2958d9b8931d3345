metadata name = 'Function app'
metadata description = 'The Flex Consumption plan and the app on it, with its settings and, as an option, Entra tokens at its door.'

@description('Required. Ending of the names.')
param suffix string

@description('Required. Region.')
param location string

@description('Required. Version of Node.js.')
@allowed([
  '22'
  '24'
])
param nodeVersion string

@description('Required. Resource id of the identity of the app.')
param identityId string

@description('Required. Client id of the identity of the app.')
param identityClientId string

@description('Required. Name of the storage account.')
param storageAccountName string

@description('Required. Address of the container that the package is deployed to.')
param packageContainerUrl string

@description('Required. Name of the Application Insights component.')
param componentName string

@description('Required. Settings of the relay by name. They win over nothing that is set here.')
param settings object

@description('Required. How callers prove who they are.')
@allowed([
  'key'
  'entra'
])
param callerAuth string

@description('Required. Application whose tokens callers bring.')
param entraClientId string

@description('Required. Client ids of the applications that may call.')
param allowedCallers string[]

@description('Optional. Resource id of the subnet through which the app reaches out.')
param subnetId string = ''

@description('Required. Tags.')
param tags object

// The lowest number that the platform takes. Graph takes no more than a few mails at once from any mailbox.
var maximumInstances = 40
var issuer = '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: 'plan-${suffix}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: 'func-${suffix}'
  location: location
  // azd finds the app by this tag; the value is the name of the service in azure.yaml.
  tags: union(tags, { 'azd-service-name': 'relay' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'node'
        version: nodeVersion
      }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: maximumInstances
      }
    }
  }
}

// FUNCTIONS_WORKER_RUNTIME, WEBSITE_RUN_FROM_PACKAGE and their kind are missing on purpose: a Flex Consumption
// app says these things in functionAppConfig, and deployment refuses some of them.
resource app_settings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'appsettings'
  properties: union(settings, {
    // The name of the account instead of the addresses of its services: with addresses alone the host can fail
    // at start (azure-functions-host issue 11787).
    AzureWebJobsStorage__accountName: storageAccountName
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    AZURE_CLIENT_ID: identityClientId
    APPLICATIONINSIGHTS_CONNECTION_STRING: component.properties.ConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
    ENTRA_TENANT_ID: tenant().tenantId
    ENTRA_CLIENT_ID: entraClientId
  })
}

// Deployed in either case, so that going back to keys turns tokens off.
resource app_authentication 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: callerAuth == 'entra'
    }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      excludedPaths: [
        '/api/health'
      ]
    }
    httpSettings: {
      requireHttps: true
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: entraClientId
          openIdIssuer: issuer
        }
        validation: {
          allowedAudiences: [
            entraClientId
            'api://${entraClientId}'
          ]
          defaultAuthorizationPolicy: {
            // An empty list would let in every application of the tenant.
            allowedApplications: empty(allowedCallers) ? [entraClientId] : allowedCallers
          }
        }
      }
    }
    login: {
      tokenStore: {
        enabled: false
      }
    }
  }
  // Two changes to the configuration of one app at the same time end in a conflict.
  dependsOn: [
    app_settings
  ]
}

// Deployment with a user name and a password.
resource app_basicPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = [
  for door in ['ftp', 'scm']: {
    parent: app
    name: door
    properties: {
      allow: false
    }
  }
]

@description('Name of the app.')
output name string = app.name

@description('Address of the app.')
output url string = 'https://${app.properties.defaultHostName}'
