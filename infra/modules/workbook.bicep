metadata name = 'Workbook'
metadata description = 'Charts of what the relay counted and saw. docs/metrics.md says what each figure is.'

@description('Required. Name that the portal shows.')
param displayName string

@description('Required. Region.')
param location string

@description('Required. Resource id of the Application Insights component.')
param componentId string

@description('Required. Tags.')
param tags object

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  // The name of a workbook is a GUID.
  name: guid(componentId, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: displayName
    category: 'workbook'
    version: 'Notebook/1.0'
    sourceId: componentId
    serializedData: string(union(loadJsonContent('workbook.json'), { fallbackResourceIds: [componentId] }))
  }
}
