metadata name = 'Alerts'
metadata description = 'The questions that are asked of the log, and who hears the answer. docs/operations.md says what to do about each.'

@description('Required. Beginning of the names.')
param name string

@description('Required. Region.')
param location string

@description('Required. Resource id of the Application Insights component.')
param componentId string

@description('Required. When the relay was installed. The heartbeat is not missed before there can have been one.')
param installedOn string

@description('Required. Addresses that alerts are mailed to. With none, alerts show in the portal only.')
param recipients string[]

@description('Required. Tags.')
param tags object

// One JSON line per event: src/lib/log.ts.
var eventAlerts = [
  {
    name: 'secret-expiring'
    event: 'SecretExpiring'
    description: 'A secret in the vault expires soon, has expired, or has no expiry date. When it is gone, no mail is sent.'
    severity: 1
    every: 'PT1H'
    window: 'P1D'
  }
  {
    name: 'mail-held'
    event: 'MailHeld'
    description: 'A mail was given up. It is kept with the reason, for somebody to decide.'
    severity: 2
    every: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'mail-overdue'
    event: 'MailOverdue'
    description: 'A mail was accepted and has reached no end, though it should have by now.'
    severity: 2
    every: 'PT15M'
    window: 'PT2H'
  }
  {
    name: 'sending-blocked'
    event: 'SendBlocked'
    description: 'Mail waits in the queue because sending is turned off or a setting is wrong.'
    severity: 1
    every: 'PT15M'
    window: 'PT30M'
  }
]

var eventQueries = map(eventAlerts, alert => {
  name: alert.name
  description: alert.description
  severity: alert.severity
  every: alert.every
  window: alert.window
  query: join(
    [
      'traces'
      '| where message has "${alert.event}"'
      '| where tostring(parse_json(message).event) == "${alert.event}"'
    ],
    '\n'
  )
})

var otherQueries = [
  {
    name: 'heartbeat-missing'
    description: 'The daily check of secrets has not run for more than 26 hours, so nobody would be warned. Timers can stop for good after a deployment (azure-functions-host issue 11828).'
    severity: 1
    every: 'PT1H'
    // Of the windows to choose from the next one above 26 hours.
    window: 'P2D'
    query: join(
      [
        'traces'
        '| where timestamp > ago(26h)'
        '| where message has "SecretsChecked"'
        '| where tostring(parse_json(message).event) == "SecretsChecked"'
        '| summarize heartbeats = count()'
        // A date that cannot be read counts as long ago.
        '| where heartbeats == 0 and not(coalesce(now() < todatetime("${installedOn}") + 26h, false))'
      ],
      '\n'
    )
  }
  {
    name: 'sweep-missing'
    description: 'The hourly sweep has not come to its end for more than three hours. Until it does, lost attempts are not found, overdue mail is not reported, and nothing is deleted.'
    severity: 1
    every: 'PT1H'
    window: 'P1D'
    query: join(
      [
        'traces'
        '| where timestamp > ago(3h)'
        '| where message has "MailSwept"'
        '| where tostring(parse_json(message).event) == "MailSwept"'
        '| summarize sweeps = count()'
        '| where sweeps == 0 and not(coalesce(now() < todatetime("${installedOn}") + 3h, false))'
      ],
      '\n'
    )
  }
  {
    name: 'administrator-needed'
    description: 'The relay logged an error that only an administrator can mend: a wrong setting, a refused credential, a missing permission, or one that nobody foresaw. Its "code" is a heading in docs/errors.md.'
    severity: 2
    every: 'PT15M'
    window: 'PT30M'
    query: join(
      [
        'traces'
        '| where severityLevel >= 3 and message startswith "{"'
        '| extend event = tostring(parse_json(message).event)'
        // These have rules of their own.
        '| where isnotempty(event) and event !in ("SecretExpiring", "MailHeld")'
      ],
      '\n'
    )
  }
  {
    name: 'failure-rate'
    description: 'More than a tenth of all invocations failed, and at least five. Mistakes of callers (4xx) do not count.'
    severity: 2
    every: 'PT15M'
    window: 'PT30M'
    query: join(
      [
        'requests'
        '| extend code = coalesce(toint(resultCode), 0)'
        '| summarize total = count(), failed = countif(code >= 500 or (success == false and code < 400))'
        '| where failed >= 5 and failed * 10 > total'
      ],
      '\n'
    )
  }
]

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(recipients)) {
  name: 'ag-${name}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'mail relay'
    emailReceivers: [
      for (address, i) in recipients: {
        name: 'recipient ${i + 1}'
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
  }
}

resource rules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in concat(eventQueries, otherQueries): {
    name: '${name}-${alert.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${name}: ${alert.name}'
      description: alert.description
      severity: alert.severity
      enabled: true
      autoMitigate: true
      evaluationFrequency: alert.every
      windowSize: alert.window
      scopes: [
        componentId
      ]
      criteria: {
        allOf: [
          {
            query: alert.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: empty(recipients) ? [] : [actionGroup!.id]
      }
    }
  }
]
