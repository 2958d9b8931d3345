// Answers from the environment, for azd (azd env set) and for pipelines.
using 'main.bicep'

param entraClientId = readEnvironmentVariable('ENTRA_CLIENT_ID')

param defaultSender = readEnvironmentVariable('MAIL_DEFAULT_SENDER')

param name = readEnvironmentVariable('RELAY_NAME', 'mail-relay')

param callerAuth = readEnvironmentVariable('RELAY_CALLER_AUTH', 'key')

// Separated by commas.
param alertRecipients = filter(split(readEnvironmentVariable('RELAY_ALERT_RECIPIENTS', ''), ','), address => !empty(address))

// JSON objects.
param settings = json(readEnvironmentVariable('RELAY_SETTINGS', '{}'))

param options = json(readEnvironmentVariable('RELAY_OPTIONS', '{}'))
