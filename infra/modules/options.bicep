metadata name = 'Shapes of the parameters'
metadata description = 'Both are sealed: a name that is not known here stops the deployment, where the app would have ignored it.'

@export()
@description('How applications prove who they are: by function key, or by function key and Entra token.')
type CallerAuth = 'key' | 'entra'

@export()
@sealed()
@description('Settings of the relay that have a default. docs/settings.md describes them.')
type RelaySettings = {
  ENTRA_AUTHORITY: string?
  GRAPH_ENDPOINT: string?
  GRAPH_TIMEOUT_SECONDS: string?
  MAIL_ALLOWED_SENDERS: string?
  MAIL_CONCURRENT_PER_MAILBOX: string?
  MAIL_ENABLED: string?
  MAIL_EVENTS: string?
  MAIL_GIVE_UP_HOURS: string?
  MAIL_LEDGER_DAYS: string?
  MAIL_LEDGER_RECIPIENTS: string?
  MAIL_ON_UNKNOWN: string?
  MAIL_PER_MINUTE_PER_MAILBOX: string?
  MAIL_SENDING_LIMIT_SECONDS: string?
  MAIL_VERIFY_SECONDS: string?
  SECRET_WARNING_DAYS: string?
  SECRET_WARNING_RECIPIENTS: string?
}

@export()
@sealed()
@description('What few installations need.')
type Options = {
  @description('Node.js of the app. Default: 24.')
  nodeVersion: ('22' | '24')?

  @description('Client ids of the applications that may call, with callerAuth entra. Default: none but the relay itself.')
  allowedCallers: string[]?

  @description('Storage and vault answer inside a virtual network only. Default: false.')
  privateNetwork: bool?

  @description('Address space of that virtual network, /24 or larger. Default: 10.80.0.0/24.')
  networkAddressSpace: string?

  @description('Public IPv4 addresses or ranges from which administrators still reach storage and vault in spite of privateNetwork. Default: none.')
  operatorIpRanges: string[]?

  @description('Redundancy of the storage account that holds accepted mail. Default: Standard_LRS.')
  storageSku: ('Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS')?

  @description('A deleted vault cannot be purged for 90 days. It can never be turned off again. Default: false.')
  purgeProtection: bool?

  @description('Days that logs are kept, 30 to 730. Default: 30.')
  logRetentionDays: int?

  @description('Tags of every resource. Default: none.')
  tags: object?
}
