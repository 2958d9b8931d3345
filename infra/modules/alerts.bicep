metadata name = 'Alerts'
metadata description = 'Log queries and a test from outside that raise alerts, and who receives them. docs/operations.md says what to do about each.'

@description('Required. Beginning of the names.')
param name string

@description('Required. Region.')
param location string

@description('Required. Resource id of the Application Insights component.')
param componentId string

@description('Required. When the relay was installed. Before the first heartbeat is due, a missing one raises no alert.')
param installedOn string

@description('Required. Email addresses that receive alerts. If empty, alerts appear only in the portal.')
param recipients string[]

@description('Required. Address of the function app.')
param appUrl string

@description('Required. Test from outside whether the app responds.')
param availabilityTest bool

@description('Required. Name of the cloud, as Azure calls it.')
param cloud string

@description('Required. Tags.')
param tags object

// One JSON line per event: src/lib/log.ts.
var eventAlerts = [
  {
    name: 'secret-expiring'
    event: 'SecretExpiring'
    description: 'A secret or certificate expires soon, has expired, has no expiry date, or has another date in Entra than in the vault. After the credential of the relay expires, it sends no email. docs/credentials.md has the commands.'
    severity: 1
    every: 'PT1H'
    window: 'P1D'
  }
  {
    name: 'mail-held'
    event: 'MailHeld'
    description: 'The relay holds an email, with the reason. An operator decides: npm run mail -- list'
    severity: 2
    every: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'mail-overdue'
    event: 'MailOverdue'
    description: 'The relay accepted an email that should have reached a final state by now and has not.'
    severity: 2
    every: 'PT15M'
    window: 'PT2H'
  }
  {
    name: 'sending-blocked'
    event: 'SendBlocked'
    description: 'Emails wait on the queue because sending is switched off or a setting is invalid.'
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
    description: 'The daily check of secrets has not run for more than 26 hours, so warnings would be missing. Timers can stop permanently after a deployment (azure-functions-host issue 11828).'
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
    description: 'The hourly sweep has not completed for more than three hours. Until it does, the relay finds no lost attempts, reports no overdue emails and deletes nothing.'
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
    description: 'The relay logged an error that only an administrator can fix: an invalid setting, a rejected credential, a missing permission, a warning that reached no one, a client secret that it could not renew, or an unexpected error. Its "code" is a heading in docs/errors.md.'
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
    description: 'More than 10 % of all invocations failed, and at least five. Errors of callers (4xx) do not count.'
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

// What a timer sees every five minutes: docs/metrics.md says what each field is.
var samples = [
  'traces'
  '| where message has "Metrics"'
  '| extend e = parse_json(message)'
  '| where tostring(e.event) == "Metrics"'
]

var sampleAlerts = [
  {
    name: 'queue-waits'
    description: 'The next email of a queue has waited for more than 15 minutes although it could be sent. Nothing takes it, or there are more than a mailbox can send.'
    severity: 2
    every: 'PT15M'
    window: 'PT15M'
    query: join(concat(samples, ['| where todouble(e.queueAge) > 900']), '\n')
  }
  {
    name: 'graph-wasted'
    description: 'Graph returned 429, 503 or 509 to more than 5 % of the requests of the last hour, and to at least 20 of them. Emails wait, and the limits of a mailbox are used for nothing.'
    severity: 3
    every: 'PT1H'
    window: 'PT2H'
    query: join(
      concat(samples, [
        '| where timestamp > ago(65m) and isnotempty(e.graphRequests)'
        // Counted since the relay was installed: the difference is what the hour had.
        '| summarize requests = max(tolong(e.graphRequests)) - min(tolong(e.graphRequests)), wasted = max(tolong(e.graphWasted)) - min(tolong(e.graphWasted))'
        '| where wasted >= 20 and wasted * 20 > requests'
      ]),
      '\n'
    )
  }
  {
    name: 'mailbox-near-limit'
    description: 'A mailbox has used more than 80 % of the 10,000 recipients that Exchange allows it in 24 hours. At the limit its emails wait for hours.'
    severity: 2
    every: 'PT1H'
    window: 'PT2H'
    query: join(concat(samples, ['| where todouble(e.mailboxDayShare) > 0.8']), '\n')
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
  for alert in concat(eventQueries, otherQueries, sampleAlerts): {
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

// Three regions of three continents, so that a fault of one network is not taken for a fault of the relay; in a national cloud, three
// of its own: https://learn.microsoft.com/azure/azure-monitor/app/availability-standard-tests#location-population-tags
var testLocations = {
  AzureUSGovernment: [
    'usgov-va-azr'
    'usgov-phx-azr'
    'usgov-tx-azr'
  ]
  AzureChinaCloud: [
    'mc-cne-azr'
    'mc-cne2-azr'
    'mc-cnn2-azr'
  ]
}[?cloud] ?? [
  'emea-nl-ams-azr'
  'us-va-ash-azr'
  'apac-sg-sin-azr'
]

resource healthTest 'Microsoft.Insights/webtests@2022-06-15' = if (availabilityTest) {
  name: '${name}-health'
  location: location
  // The portal shows the test with the component that this tag names.
  tags: union(tags, { 'hidden-link:${componentId}': 'Resource' })
  kind: 'standard'
  properties: {
    SyntheticMonitorId: '${name}-health'
    Name: '${name}: health'
    Kind: 'standard'
    Enabled: true
    // Each location tests once in this time, which is what the test costs.
    Frequency: 900
    // An app that has scaled to zero starts first.
    Timeout: 60
    RetryEnabled: true
    Locations: [for id in testLocations: { Id: id }]
    Request: {
      RequestUrl: '${appUrl}/api/health'
      HttpVerb: 'GET'
      ParseDependentRequests: false
    }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      ContentValidation: {
        ContentMatch: '"status":"up"'
        PassIfTextFound: true
      }
    }
  }
}

resource notResponding 'Microsoft.Insights/metricAlerts@2018-03-01' = if (availabilityTest) {
  name: '${name}-not-responding'
  location: 'global'
  tags: tags
  properties: {
    description: '/api/health did not respond to at least two of three regions. The relay is down, has no code yet, or cannot be reached.'
    severity: 1
    enabled: true
    autoMitigate: true
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    scopes: [
      healthTest.id
      componentId
    ]
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: healthTest.id
      componentId: componentId
      failedLocationCount: 2
    }
    actions: empty(recipients) ? [] : [{ actionGroupId: actionGroup!.id }]
  }
}
