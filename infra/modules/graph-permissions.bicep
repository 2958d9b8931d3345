metadata name = 'Permissions of Microsoft Graph'
metadata description = 'The application permissions that the relay can use, and nothing else.'

@export()
@description('Mail.Send sends. Mail.Read looks an email up if Graph gave no clear response. Mail.ReadWrite carries large attachments.')
type MailPermission = 'Mail.Send' | 'Mail.Read' | 'Mail.ReadWrite'

@export()
@description('What consent can grant: permissions for email; ExchangeMessageTrace.Read.All, to ask for the delivery status of an email; and Application.ReadWrite.OwnedBy, by which the relay renews its own client secret.')
type Permission = MailPermission | 'ExchangeMessageTrace.Read.All' | 'Application.ReadWrite.OwnedBy'

@export()
@description('The application that stands for Microsoft Graph in every tenant.')
var graphAppId = '00000003-0000-0000-c000-000000000000'

@export()
@description('Ids of application permissions: https://learn.microsoft.com/graph/permissions-reference')
var permissionIds = {
  'Application.ReadWrite.OwnedBy': '18a4783c-866b-4cc7-a460-3d5e5662c884'
  'ExchangeMessageTrace.Read.All': '89b20d8a-76e2-4057-867b-9961f800b9a4'
  'Mail.Send': 'b633e1c5-b582-4048-a93e-9f11b44c7e96'
  'Mail.Read': '810c84a8-4a9e-49e6-bf7d-12d183f40d01'
  'Mail.ReadWrite': 'e2a3a72e-5f79-4c64-b1b1-878b674786c9'
}

@export()
@description('The app role of the registration of the relay: an application that has it may present tokens to the relay. Made for this product, and the same in every tenant.')
var submitRole = {
  id: '6e1d5a3c-2f84-4b0e-9a67-c1d7f0b3e852'
  value: 'Mail.Submit'
}
