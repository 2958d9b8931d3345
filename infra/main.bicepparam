// Answers from the environment, for azd (azd env set) and for pipelines. An empty variable counts as one that is not set.
using 'main.bicep'

var relayName = trim(readEnvironmentVariable('RELAY_NAME', ''))
var relaySettings = trim(readEnvironmentVariable('RELAY_SETTINGS', ''))
var relayOptions = trim(readEnvironmentVariable('RELAY_OPTIONS', ''))

param entraClientId = trim(readEnvironmentVariable('ENTRA_CLIENT_ID'))

param defaultSender = trim(readEnvironmentVariable('MAIL_DEFAULT_SENDER'))

param name = empty(relayName) ? 'mail-relay' : relayName

// Separated by commas; main.bicep removes blanks.
param alertRecipients = split(readEnvironmentVariable('RELAY_ALERT_RECIPIENTS', ''), ',')

// JSON objects.
param settings = json(empty(relaySettings) ? '{}' : relaySettings)

param options = json(empty(relayOptions) ? '{}' : relayOptions)
