metadata name = 'Settings of the app'
metadata description = 'The one place where the settings of the app are put together, whichever way it is deployed: by script, pipeline, azd or portal. A setting that nobody names stays as it is, so a deployment neither resumes sending that an operator stopped nor forgets what another way has set.'

import { toCallers } from 'caller-queues.bicep'
import { storageAddressNames } from 'options.bicep'

@description('Required. Name of the app.')
param appName string

@description('Required. Settings of the relay that the app has now.')
param currentSettings object

@description('Required. Settings of the relay that the app has now and that are secrets.')
@secure()
param currentSecrets object

@description('Required. Settings of the relay to change. An empty value restores the default.')
param settings object

@description('Required. Settings to change that are secrets. An empty value removes one.')
@secure()
param secretSettings object

@description('Required. Email addresses that receive alerts, separated by commas: also those of SECRET_WARNING_RECIPIENTS, unless it names others.')
param alertRecipients string

@description('Required. Callers that get a queue of their own, beside those that MAIL_CALLER_QUEUES names.')
param callersWithQueues string[]

@description('Required. Name of the cloud, as Azure calls it.')
param cloud string

@description('Required. The setting that names the storage account.')
param storageByName object

@description('Required. The settings that name the addresses of the storage account instead.')
param storageByAddress object

@description('Required. Settings that win over all others.')
param fixedSettings object

// The app does not read ALERT_RECIPIENTS, the next deployment does: warnings follow the alerts while both go to the same
// addresses, and stay as they are after somebody has named others.
var currentRecipients = currentSettings.?SECRET_WARNING_RECIPIENTS ?? ''
var followsAlerts = contains(settings, 'SECRET_WARNING_RECIPIENTS')
  ? empty(settings.SECRET_WARNING_RECIPIENTS)
  : currentRecipients == (currentSettings.?ALERT_RECIPIENTS ?? '')
// A queue that nobody reads any more would keep what is in it silently: only MAIL_CALLER_QUEUES itself can take a caller away.
var namedCallers = toCallers(settings.?MAIL_CALLER_QUEUES ?? currentSettings.?MAIL_CALLER_QUEUES ?? '')
var derivedSettings = {
  MAIL_CALLER_QUEUES: join(union(namedCallers, callersWithQueues), ',')
  ALERT_RECIPIENTS: alertRecipients
  SECRET_WARNING_RECIPIENTS: followsAlerts
    ? alertRecipients
    : (settings.?SECRET_WARNING_RECIPIENTS ?? currentRecipients)
}

// Azure knows its cloud; DoD and GCC High share one, so that a relay of DoD names its own.
var cloudOfAzure = {
  AzureUSGovernment: 'usgov'
  AzureChinaCloud: 'china'
}[?cloud]
var namesCloud = !empty(filter(
  items(union(currentSettings, settings)),
  setting => contains(['GRAPH_CLOUD', 'ENTRA_AUTHORITY', 'GRAPH_ENDPOINT'], setting.key) && !empty(setting.value)
))
var derivedCloud = namesCloud || cloudOfAzure == null ? {} : { GRAPH_CLOUD: cloudOfAzure }

// Linux takes https_proxy and HTTPS_PROXY for two variables, and the first wins: what a deployment gives replaces both.
var keptSettings = toObject(
  filter(items(currentSettings), setting => !contains(objectKeys(settings), toUpper(setting.key))),
  setting => setting.key,
  setting => setting.value
)
var keptSecrets = toObject(
  filter(items(currentSecrets), setting => !contains(objectKeys(secretSettings), toUpper(setting.key))),
  setting => setting.key,
  setting => setting.value
)

var relaySettings = toObject(
  filter(items(union(keptSettings, settings, derivedSettings, derivedCloud)), setting => !empty(setting.value)),
  setting => setting.key,
  setting => setting.value
)

// The name of the account instead of the addresses of its services: with addresses alone the host can fail at start (azure-functions-host
// issue 11787). But to a name the host adds the domain of the global cloud, and the relay that of GRAPH_CLOUD: wherever one of them is
// not the cloud of the account, both need the addresses. With the name and the addresses the host can fail too.
var needsAddresses = cloud != 'AzureCloud' || !contains(['', 'global'], relaySettings.?GRAPH_CLOUD ?? '') || !empty(filter(
  storageAddressNames,
  name => contains(objectKeys(relaySettings), name)
))
var storageSettings = needsAddresses ? storageByAddress : storageByName

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: appName
}

resource app_settings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'appsettings'
  properties: union(
    storageSettings,
    relaySettings,
    toObject(
      filter(items(union(keptSecrets, secretSettings)), setting => !empty(setting.value)),
      setting => setting.key,
      setting => setting.value
    ),
    fixedSettings
  )
}

@description('Days that the ledger keeps an email.')
output ledgerDays int = int(relaySettings.?MAIL_LEDGER_DAYS ?? '90')
