// What is deployed with every option on, and with the blanks and small ranges that people type.
using '../../../infra/main.bicep'

param entraClientId = '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55'

param defaultSender = 'Contoso <noreply@contoso.com>'

param name = 'Relay-Two'

param location = 'northeurope'

param settings = {
  MAIL_ALLOWED_SENDERS: 'payroll@contoso.com, *@service.contoso.com'
  MAIL_CALLER_QUEUES: 'helpdesk, payroll'
  MAIL_EVENTS: 'queue'
  MAIL_LEDGER_DAYS: '365'
  MAIL_ON_UNKNOWN: ''
}

param secretSettings = {
  MAIL_WEBHOOKS: '[{"name":"crm","url":"https://crm.example/hook"}]'
  SECRET_WARNING_WEBHOOK: 'https://hooks.example/relay'
}

param alertRecipients = [
  'it@contoso.com'
  ' on-call@contoso.com '
  ''
]

param packageUri = 'https://packages.contoso.com/graph-mail-relay.zip'

param options = {
  callers: [
    {
      name: 'payroll'
      senders: ['payroll@contoso.com']
      mailsPerDay: 500
      owner: 'payroll-team@contoso.com'
    }
    {
      name: 'function-keys'
      disabled: true
    }
  ]
  connections: [
    {
      name: 'fabrikam'
      senders: ['*@fabrikam.com']
      tenantId: 'fabrikam.com'
      clientId: '5a0c8b1d-47f0-4d0e-9a3b-2f6f0c1de871'
      credential: 'certificate'
    }
  ]
  nodeVersion: '22'
  instanceMemoryMB: 512
  maximumInstanceCount: 100
  alwaysReady: 2
  callerQueues: [
    {
      caller: 'payroll'
      senders: [
        '33333333-3333-3333-3333-333333333333'
        '44444444-4444-4444-4444-444444444444'
      ]
    }
    {
      caller: 'erp-test'
    }
  ]
  vaultEvents: true
  opsClientId: '6b1d9c2e-58f1-4e1f-8a4c-3c7a1f2ed982'
  availabilityTest: true
  privateNetwork: true
  networkAddressSpace: '10.90.0.0/24'
  operatorIpRanges: [
    '203.0.113.7'
    ' 198.51.100.0/24'
    '192.0.2.9/32'
    '192.0.2.16/31'
    ''
  ]
  storageSku: 'Standard_ZRS'
  purgeProtection: true
  logRetentionDays: 90
  tags: {
    owner: 'it'
    'graph-mail-relay': 'a name of their own'
  }
}
