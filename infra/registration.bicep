metadata name = 'Registration'
metadata description = 'The application that may send, and its service principal. It declares permissions and grants none: that is consent.bicep, or Exchange RBAC for Applications. Client secrets cannot be made here.'

targetScope = 'resourceGroup'

extension microsoftGraphV1

import { graphAppId, MailPermission, permissionIds, submitRole } from 'modules/graph-permissions.bicep'

@description('Optional. The key by which this deployment finds the application again. It can never be changed.')
@minLength(3)
@maxLength(100)
param uniqueName string = 'graph-mail-relay'

@description('Optional. Name of the application as administrators see it.')
param displayName string = 'Graph Mail Relay'

@description('Optional. Permissions that the application asks for.')
param permissions MailPermission[] = [
  'Mail.Send'
]

@description('Optional. Object id of the managed identity of the relay, which may then act as the application without a secret. Empty: no federated credential.')
param identityPrincipalId string = ''

// https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
var exchangeAudience = {
  AzureUSGovernment: 'api://AzureADTokenExchangeUSGov'
  AzureChinaCloud: 'api://AzureADTokenExchangeChina'
}[?environment().name] ?? 'api://AzureADTokenExchange'

resource application 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: uniqueName
  displayName: displayName
  description: 'Sends mail for the applications of this organisation with Microsoft Graph.'
  signInAudience: 'AzureADMyOrg'
  // For applications that call the relay with a token of their own. No identifier URI: it would have to have the client id, which the
  // extension cannot refer to here (msgraph-bicep-types issue 239). The client id alone names the relay too, as in <client id>/.default.
  api: {
    requestedAccessTokenVersion: 2
  }
  appRoles: [
    {
      id: submitRole.id
      value: submitRole.value
      displayName: 'Submit email'
      description: 'Send email through the relay, within the rules of the caller that is declared for the application.'
      allowedMemberTypes: [
        'Application'
      ]
      isEnabled: true
    }
  ]
  requiredResourceAccess: [
    {
      resourceAppId: graphAppId
      resourceAccess: map(permissions, permission => {
        id: permissionIds[permission]
        type: 'Role'
      })
    }
  ]

  resource federation 'federatedIdentityCredentials@v1.0' = if (!empty(identityPrincipalId)) {
    // Taken from the application, and with its name in front: otherwise it is not found (msgraph-bicep-types issue 271).
    name: '${application.uniqueName}/managed-identity'
    description: 'The managed identity of the relay'
    issuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
    subject: identityPrincipalId
    audiences: [
      exchangeAudience
    ]
  }
}

resource servicePrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: application.appId
}

@description('Application (client) id.')
output clientId string = application.appId

@description('Object id of the application, for making client secrets.')
output applicationObjectId string = application.id

@description('Object id of its service principal, for consent and for Exchange RBAC.')
output servicePrincipalObjectId string = servicePrincipal.id
