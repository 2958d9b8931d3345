@{
    RootModule        = 'Microsoft.Graph.Authentication.psm1'
    ModuleVersion     = '2.30.0'
    GUID              = '1e6f7a52-8d0b-4f0b-8c1a-2f4c4a9d7b22'
    FunctionsToExport = 'Get-MgContext', 'Invoke-MgGraphRequest'
}
