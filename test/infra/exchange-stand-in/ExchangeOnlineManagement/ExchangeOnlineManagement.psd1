@{
    RootModule        = 'ExchangeOnlineManagement.psm1'
    ModuleVersion     = '3.9.0'
    GUID              = 'b4ff42b4-3f0c-4c5f-9d5c-5a6a3c0f0e11'
    FunctionsToExport = '*'
}
