metadata name = 'Function app'
metadata description = 'The Flex Consumption plan and the app on it, with its settings and, as an option, its code.'

import { connectionSettingPrefix, relaySettingNames, secretSettingNames, storageAddressNames } from 'options.bicep'

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

@description('Required. Memory of an instance.')
@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int

@description('Required. Instances of one function at most.')
param maximumInstanceCount int

@description('Required. Instances of deliverMail that always run.')
param alwaysReady int

@description('Required. Settings of the relay by name. An empty value restores the default.')
param settings object

@description('Required. Settings of the relay that are secrets, by name. An empty value removes one.')
@secure()
param secretSettings object

@description('Required. Callers that get a queue of their own.')
param callersWithQueues string[]

@description('Required. Email addresses that receive alerts, separated by commas.')
param alertRecipients string

@description('Required. Settings that follow from other resources and parameters. They win over all others.')
param fixedSettings object

@description('Required. Address of the package to deploy. Empty: no code is deployed.')
param packageUri string

@description('Optional. Client ID of the registration by which operators sign in. Empty: their sign-in stays as it is.')
param opsClientId string = ''

@description('Optional. Resource id of the subnet through which the app reaches out.')
param subnetId string = ''

@description('Required. Tags.')
param tags object

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
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        // HTTP functions scale as one group, and every other function by itself:
        // https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#per-function-scaling
        alwaysReady: alwaysReady == 0
          ? []
          : [
              {
                name: 'function:deliverMail'
                instanceCount: alwaysReady
              }
            ]
      }
    }
  }
}

var storageDomain = environment().suffixes.storage
var storageByName = {
  AzureWebJobsStorage__accountName: storageAccountName
}
var storageByAddress = {
  AzureWebJobsStorage__blobServiceUri: 'https://${storageAccountName}.blob.${storageDomain}'
  AzureWebJobsStorage__queueServiceUri: 'https://${storageAccountName}.queue.${storageDomain}'
  AzureWebJobsStorage__tableServiceUri: 'https://${storageAccountName}.table.${storageDomain}'
}

var furtherNames = concat(storageAddressNames, ['ALERT_RECIPIENTS'])
var currentSettings = list('${app.id}/config/appsettings', '2024-11-01').properties

module settingsOfApp 'app-settings.bicep' = {
  name: '${app.name}-settings'
  params: {
    appName: app.name
    // Only the settings of the relay: parameters of a deployment are readable afterwards, and others can hold secrets. The names
    // of a proxy count in lower case too.
    currentSettings: toObject(
      filter(
        items(currentSettings),
        setting =>
          contains(relaySettingNames, toUpper(setting.key)) || contains(furtherNames, setting.key) || startsWith(
            setting.key,
            connectionSettingPrefix
          )
      ),
      setting => setting.key,
      setting => setting.value
    )
    currentSecrets: toObject(
      filter(items(currentSettings), setting => contains(secretSettingNames, toUpper(setting.key))),
      setting => setting.key,
      setting => setting.value
    )
    cloud: environment().name
    settings: settings
    secretSettings: secretSettings
    callersWithQueues: callersWithQueues
    alertRecipients: alertRecipients
    // FUNCTIONS_WORKER_RUNTIME, WEBSITE_RUN_FROM_PACKAGE and their kind are missing on purpose: a Flex Consumption
    // app says these things in functionAppConfig, and deployment refuses some of them.
    storageByName: storageByName
    storageByAddress: storageByAddress
    fixedSettings: union(fixedSettings, empty(opsClientId) ? {} : { OPS_SIGN_IN: 'entra' }, {
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identityClientId
      AZURE_CLIENT_ID: identityClientId
      APPLICATIONINSIGHTS_CONNECTION_STRING: component.properties.ConnectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
    })
  }
}

// Deployment with a user name and a password. Two changes to the configuration of one app at the same time end in a
// conflict, so each of these waits for the one before it.
resource app_ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
  dependsOn: [
    settingsOfApp
  ]
}

resource app_scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
  dependsOn: [
    app_ftp
  ]
}

// Sign-in of operators. Everyone else still gets in without it: the keys and tokens of applications are checked by the host and the
// relay. Without a client secret, App Service uses the ID token that Entra returns:
// https://learn.microsoft.com/azure/app-service/configure-authentication-provider-aad
resource app_auth 'Microsoft.Web/sites/config@2024-11-01' = if (!empty(opsClientId)) {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      requireAuthentication: false
      unauthenticatedClientAction: 'AllowAnonymous'
    }
    httpSettings: {
      requireHttps: true
    }
    login: {
      tokenStore: {
        enabled: false
      }
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: opsClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          // Applications send tokens for the relay itself, which App Service would refuse otherwise.
          allowedAudiences: [
            opsClientId
            fixedSettings.ENTRA_CLIENT_ID
            'api://${fixedSettings.ENTRA_CLIENT_ID}'
          ]
        }
      }
    }
  }
  dependsOn: [
    app_scm
  ]
}

// Azure reports success even if it cannot download the package: /api/health shows whether the app runs.
resource app_package 'Microsoft.Web/sites/extensions@2024-11-01' = if (!empty(packageUri)) {
  parent: app
  name: 'onedeploy'
  // The type that Bicep has of this resource lacks its properties:
  // https://learn.microsoft.com/azure/azure-functions/functions-infrastructure-as-code#deployment-package
  #disable-next-line BCP187
  properties: {
    packageUri: packageUri
    remoteBuild: false
  }
  dependsOn: [
    app_scm
    app_auth
  ]
}

@description('Name of the app.')
output name string = app.name

@description('Address of the app.')
output url string = 'https://${app.properties.defaultHostName}'

@description('Days that the ledger keeps an email, by the settings that the app has now.')
output ledgerDays int = settingsOfApp.outputs.ledgerDays
