# Stands in for the connection to Microsoft Graph: enterprise applications and what Entra ID grants them, of the same tenant
# ($env:STATE/tenant.json) as the stand-in for Exchange.

$TenantFile = Join-Path $env:STATE 'tenant.json'

$Resources = @(
    @{ id = 'resource-graph'; appId = '00000003-0000-0000-c000-000000000000'; appRoles = @(
            @{ id = 'b633e1c5-b582-4048-a93e-9f11b44c7e96'; value = 'Mail.Send' }, @{ id = 'df021288-bdef-4463-88db-98f22de89214'; value = 'User.Read.All' })
    }
    @{ id = 'resource-exchange'; appId = '00000002-0000-0ff1-ce00-000000000000'; appRoles = @(@{ id = 'dc890d15-9560-4a4c-9b7f-a736ec74ec40'; value = 'full_access_as_app' }) }
)

function Get-MgContext {
    [CmdletBinding()] param()
    $graph = (Get-Content -Raw $TenantFile | ConvertFrom-Json).graph
    if ($null -ne $graph) { $graph }
}

function Invoke-MgGraphRequest {
    [CmdletBinding()] param([string] $Method, [string] $Uri, [string] $OutputType)
    Add-Content (Join-Path $env:STATE 'calls') "Invoke-MgGraphRequest $Method $Uri"
    $tenant = Get-Content -Raw $TenantFile | ConvertFrom-Json -AsHashtable -DateKind String
    $page = switch -Regex ("$Method $Uri") {
        "^GET v1\.0/servicePrincipals\?\`$filter=appId eq '([^']+)'&" {
            $wanted = $Matches[1]
            @{ value = @(@($Resources) + @($tenant.enterpriseApps) | Where-Object { $_.appId -eq $wanted }) }
            break
        }
        '^GET v1\.0/servicePrincipals/([^/]+)/appRoleAssignments(\?page=2)?$' {
            # Two pages, so that a reader of the first one alone misses a grant.
            $principal, $second = $Matches[1], $Matches[2]
            $grants = @($tenant.grants | Where-Object { $_.principalId -eq $principal })
            if ($second) { @{ value = @($grants | Select-Object -Skip 1) } }
            else { @{ value = @($grants | Select-Object -First 1); '@odata.nextLink' = "${Uri}?page=2" } }
            break
        }
        '^DELETE v1\.0/servicePrincipals/[^/]+/appRoleAssignments/(.+)$' {
            $gone = $Matches[1]
            $tenant.grants = @($tenant.grants | Where-Object { $_.id -ne $gone })
            ConvertTo-Json $tenant -Depth 9 | Set-Content $TenantFile
            return
        }
        default { throw "Response status code does not indicate success: NotFound (Not Found). $Method $Uri" }
    }
    $page | ConvertTo-Json -Depth 9 | ConvertFrom-Json
}
