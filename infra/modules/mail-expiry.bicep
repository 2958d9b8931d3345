metadata name = 'Expiry of stored emails'
metadata description = 'Deletes the content of emails that the ledger has forgotten, even if the sweep of the relay does not run.'

@description('Required. Name of the storage account.')
param storageAccountName string

@description('Required. Days that the ledger keeps an email. Older content belongs to an email that nobody can look up any more.')
@minValue(1)
param days int

// Longer than an email can wait: 30 days for its time to be sent, seven to be given up, and a week for an operator.
var attachmentDays = 45

// As the sweep of the relay: long enough to look at the emails of a test.
var capturedDays = min(days, 14)

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: storageAccountName
}

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2024-01-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'forget-mail'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                'mail-payloads/'
                'mail-held/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: days
                }
              }
            }
          }
        }
        {
          name: 'forget-captured'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                'mail-captured/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: capturedDays
                }
              }
            }
          }
        }
        {
          name: 'forget-attachments'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                'mail-attachments/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: attachmentDays
                }
              }
            }
          }
        }
      ]
    }
  }
}
