// What is deployed if only the required questions are answered.
using '../../../infra/main.bicep'

param entraClientId = '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55'

param defaultSender = 'noreply@contoso.com'
