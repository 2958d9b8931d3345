metadata name = 'Consent'
metadata description = 'Grants permissions of Microsoft Graph to the service principal of the relay, for every mailbox of the tenant. Run by a Privileged Role Administrator. Where Exchange RBAC for Applications grants them for chosen mailboxes, this is not deployed.'

targetScope = 'resourceGroup'

extension microsoftGraphV1

import { graphAppId, MailPermission, mailPermissionIds } from 'modules/graph-permissions.bicep'

@description('Required. Object id of the service principal: the output servicePrincipalObjectId of registration.bicep.')
@minLength(36)
@maxLength(36)
param servicePrincipalObjectId string

@description('Optional. Permissions to grant.')
param permissions MailPermission[] = [
  'Mail.Send'
]

resource graph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: graphAppId
}

resource grants 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [
  for permission in permissions: {
    principalId: servicePrincipalObjectId
    resourceId: graph.id
    appRoleId: mailPermissionIds[permission]
  }
]

@description('What the relay may do now, in the name of every mailbox.')
output grantedPermissions MailPermission[] = permissions
