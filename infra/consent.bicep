metadata name = 'Consent'
metadata description = 'Grants permissions of Microsoft Graph to the service principal of the relay: those for email apply to every mailbox of the tenant. Run by a Privileged Role Administrator. Where Exchange RBAC for Applications grants them for chosen mailboxes, this is not deployed.'

targetScope = 'resourceGroup'

extension microsoftGraphV1

import { graphAppId, Permission, permissionIds } from 'modules/graph-permissions.bicep'

@description('Required. Object id of the service principal: the output servicePrincipalObjectId of registration.bicep, or identityPrincipalId of main.bicep with the credential managed-identity.')
@minLength(36)
@maxLength(36)
param servicePrincipalObjectId string

@description('Optional. Permissions to grant.')
param permissions Permission[] = [
  'Mail.Send'
]

resource graph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: graphAppId
}

resource grants 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [
  for permission in permissions: {
    principalId: servicePrincipalObjectId
    resourceId: graph.id
    appRoleId: permissionIds[permission]
  }
]

@description('What the relay may do now. Permissions for email apply to every mailbox.')
output grantedPermissions Permission[] = permissions
