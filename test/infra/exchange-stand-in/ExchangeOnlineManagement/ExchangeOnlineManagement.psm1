# Stands in for Exchange Online: a small tenant in $env:STATE/tenant.json that these functions read and change. It is a
# module because the real commands are functions of one: $ErrorActionPreference of a script does not reach them, and what
# goes wrong is a non-terminating error, as from the real ones.

$TenantFile = Join-Path $env:STATE 'tenant.json'

function Read-Tenant { Get-Content -Raw $TenantFile | ConvertFrom-Json -AsHashtable -DateKind String }
function Save-Tenant([hashtable] $Tenant) { ConvertTo-Json $Tenant -Depth 9 | Set-Content $TenantFile }
function Get-Now { [datetime]::UtcNow.ToString('o') }

# Records the call; fails where the test wants it to.
function Enter-Call([System.Management.Automation.PSCmdlet] $Caller, [System.Collections.IDictionary] $With) {
    $command = $Caller.MyInvocation.MyCommand.Name
    $named = foreach ($key in $With.Keys | Sort-Object) {
        if ($key -ne 'ErrorAction') { "-$key $($With[$key])" }
    }
    Add-Content (Join-Path $env:STATE 'calls') (@($command) + @($named) -join ' ')
    $tenant = Read-Tenant
    if ($tenant.fail.ContainsKey($command)) {
        Write-Problem $Caller $tenant.fail[$command] 'Failed'
        return $null
    }
    return $tenant
}

function Write-Problem([System.Management.Automation.PSCmdlet] $Caller, [string] $Message, [string] $Id) {
    $Caller.WriteError([System.Management.Automation.ErrorRecord]::new([exception]::new($Message), "[Server=STANDIN],$Id", 'NotSpecified', $null))
}

function Write-NotFound([System.Management.Automation.PSCmdlet] $Caller, [string] $What) {
    Write-Problem $Caller ("Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The operation couldn't be performed because object '$What' " +
        "couldn't be found on 'STANDIN.PROD.OUTLOOK.COM'.") 'ManagementObjectNotFoundException'
}

function Out-Row([hashtable[]] $Rows) { foreach ($row in $Rows) { [pscustomobject]$row } }

function Find-Mailbox([hashtable] $Tenant, [string] $Address) {
    @($Tenant.mailboxes | Where-Object { $_.PrimarySmtpAddress -eq $Address -or $_.EmailAddresses -contains "smtp:$Address" })
}

# A group by its Guid or name; null, with an error, if no server knows it yet.
function Find-Group([System.Management.Automation.PSCmdlet] $Caller, [hashtable] $Tenant, [string] $Identity) {
    $group = $Tenant.groups | Where-Object { $Identity -in $_.Guid, $_.Name } | Select-Object -First 1
    if ($null -ne $group -and $group.ContainsKey('unknownFor') -and $group.unknownFor -gt 0) {
        $group.unknownFor--
        Save-Tenant $Tenant
        $group = $null
    }
    if ($null -eq $group) { Write-NotFound $Caller $Identity }
    return $group
}

function Get-ConnectionInformation {
    [CmdletBinding()] param()
    $tenant = Enter-Call $PSCmdlet $PSBoundParameters
    if ($tenant) { Out-Row $tenant.connections }
}

function Get-OrganizationConfig {
    [CmdletBinding()] param()
    $tenant = Enter-Call $PSCmdlet $PSBoundParameters
    if ($tenant) { [pscustomobject]@{ Name = 'contoso.onmicrosoft.com'; IsDehydrated = $tenant.dehydrated } }
}

function Get-Mailbox {
    [CmdletBinding()] param([string] $Identity)
    $tenant = Enter-Call $PSCmdlet $PSBoundParameters
    if (-not $tenant) { return }
    $found = @(Find-Mailbox $tenant $Identity)
    if ($found.Count -eq 0) { return Write-NotFound $PSCmdlet $Identity }
    Out-Row $found
}

function Get-DistributionGroup {
    [CmdletBinding()] param([string] $Filter)
    $tenant = Enter-Call $PSCmdlet $PSBoundParameters
    if (-not $tenant) { return }
    if ($Filter -notmatch "^Name -eq '([^']+)'$") { return Write-Problem $PSCmdlet "Invalid filter syntax: $Filter" 'ParsingException' }
    $wanted = $Matches[1]
    Out-Row @($tenant.groups | Where-Object { $_.Name -eq $wanted })
}

function New-DistributionGroup {
    [CmdletBinding()] param([string] $Name, [string] $Type, [string] $MemberJoinRestriction, [string] $MemberDepartRestriction, [switch] $IgnoreNamingPolicy)
    $tenant = Enter-Call $PSCmdlet $PSBoundParameters
    if (-not $tenant) { return }
    if ($Type -ne 'Security' -or $MemberJoinRestriction -ne 'Closed') { return Write-Problem $PSCmdlet 'Anyone could join this group.' 'Open' }
    $group = @{
        Name = if ($IgnoreNamingPolicy) { $Name } else { "$Name (contoso)" }; Guid = [guid]::NewGuid().ToString(); RecipientTypeDetails = 'MailUniversalSecurityGroup'
        DistinguishedName = "CN=$Name,OU=contoso.onmicrosoft.com,DC=PROD,DC=OUTLOOK,DC=COM"; HiddenFromAddressListsEnabled = $false; Members = @(); WhenChangedUTC = Get-Now
        unknownFor = $tenant.lag
    }
    $tenant.groups = @($tenant.groups) + $group
    Save-Tenant $tenant
    Out-Row $group
}

function Set-DistributionGroup {
    [CmdletBinding()] param([string] $Identity, [bool] $HiddenFromAddressListsEnabled, [switch] $BypassSecurityGroupManagerCheck)
    $tenant = Enter-Call $PSCmdlet $PSBoundParameters
    if (-not $tenant) { return }
    $group = Find-Group $PSCmdlet $tenant $Identity
    if (-not $group) { return }
    $group.HiddenFromAddressListsEnabled = $HiddenFromAddressListsEnabled
    Save-Tenant $tenant
}

function Get-DistributionGroupMember {
    [CmdletBinding()] param([string] $Identity, [string] $ResultSize)
    $tenant = Enter-Call $PSCmdlet $PSBoundParameters
    if (-not $tenant) { return }
    $group = Find-Group $PSCmdlet $tenant $Identity
    foreach ($member in $group.Members) { [pscustomobject]@{ Name = $member; Guid = $member; PrimarySmtpAddress = $member } }
}

function Add-DistributionGroupMember {
    [CmdletBinding()] param([string] $Identity, [string] $Member, [switch] $BypassSecurityGroupManagerCheck)
    $tenant = Enter-Call $PSCmdlet $PSBoundParameters
    if (-not $tenant) { return }
    $group = Find-Group $PSCmdlet $tenant $Identity
    if (-not $group) { return }
    if ($group.Members -contains $Member) { return Write-Problem $PSCmdlet "The recipient '$Member' is already a member of the group." 'MemberAlreadyExistsException' }
    $group.Members = @($group.Members) + $Member
    $group.WhenChangedUTC = Get-Now
    Save-Tenant $tenant
}

function Remove-DistributionGroupMember {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')] param([string] $Identity, [string] $Member, [switch] $BypassSecurityGroupManagerCheck)
    $tenant = Enter-Call $PSCmdlet $PSBoundParameters
    if (-not $tenant) { return }
    $group = Find-Group $PSCmdlet $tenant $Identity
    if (-not $group -or -not $PSCmdlet.ShouldProcess($Member)) { return }
    $group.Members = @($group.Members | Where-Object { $_ -ne $Member })
    $group.WhenChangedUTC = Get-Now
    Save-Tenant $tenant
}

function Get-ServicePrincipal {
    [CmdletBinding()] param()
    $tenant = Enter-Call $PSCmdlet $PSBoundParameters
    if ($tenant) { Out-Row $tenant.servicePrincipals }
}

function New-ServicePrincipal {
    [CmdletBinding()] param([string] $AppId, [string] $ObjectId, [string] $DisplayName)
    $tenant = Enter-Call $PSCmdlet $PSBoundParameters
    if (-not $tenant) { return }
    $tenant.servicePrincipals = @($tenant.servicePrincipals) + @{ AppId = $AppId; ObjectId = $ObjectId; DisplayName = $DisplayName }
    Save-Tenant $tenant
    Out-Row $tenant.servicePrincipals[-1]
}

function Get-ManagementScope {
    [CmdletBinding()] param()
    $tenant = Enter-Call $PSCmdlet $PSBoundParameters
    if ($tenant) { Out-Row $tenant.scopes }
}

function New-ManagementScope {
    [CmdletBinding()] param([string] $Name, [string] $RecipientRestrictionFilter)
    $tenant = Enter-Call $PSCmdlet $PSBoundParameters
    if (-not $tenant) { return }
    $tenant.scopes = @($tenant.scopes) + @{ Name = $Name; RecipientFilter = "($RecipientRestrictionFilter)"; WhenChangedUTC = Get-Now }
    Save-Tenant $tenant
    Out-Row $tenant.scopes[-1]
}

function Set-ManagementScope {
    [CmdletBinding()] param([string] $Identity, [string] $RecipientRestrictionFilter)
    $tenant = Enter-Call $PSCmdlet $PSBoundParameters
    if (-not $tenant) { return }
    $scope = $tenant.scopes | Where-Object { $_.Name -eq $Identity }
    if (-not $scope) { return Write-NotFound $PSCmdlet $Identity }
    $scope.RecipientFilter = $RecipientRestrictionFilter
    $scope.WhenChangedUTC = Get-Now
    Save-Tenant $tenant
}

function Get-ManagementRoleAssignment {
    [CmdletBinding()] param()
    $tenant = Enter-Call $PSCmdlet $PSBoundParameters
    if (-not $tenant) { return }
    # Most of what a tenant has: roles of administrators, with other assignees.
    [pscustomobject]@{
        Name = 'Mail Recipients-Organization Management'; Role = 'Mail Recipients'; RoleAssignee = 'Organization Management'; RoleAssigneeName = 'Organization Management'
        App = $null; RoleAssigneeType = 'RoleGroup'; CustomResourceScope = $null; Enabled = $true; WhenChangedUTC = Get-Now
    }
    Out-Row $tenant.assignments
}

function New-ManagementRoleAssignment {
    [CmdletBinding()] param([string] $Name, [string] $App, [string] $Role, [string] $CustomResourceScope)
    $tenant = Enter-Call $PSCmdlet $PSBoundParameters
    if (-not $tenant) { return }
    if ($CustomResourceScope -notin $tenant.scopes.Name) { return Write-NotFound $PSCmdlet $CustomResourceScope }
    if ($Name -in $tenant.assignments.Name) { return Write-Problem $PSCmdlet "The role assignment '$Name' already exists." 'ManagementObjectAlreadyExistsException' }
    $assignee = $tenant.servicePrincipals | Where-Object { $App -in $_.ObjectId, $_.AppId }
    if (-not $assignee) { return Write-NotFound $PSCmdlet $App }
    $tenant.assignments = @($tenant.assignments) + @{
        Name = $Name; Role = $Role; RoleAssignee = $assignee.ObjectId; RoleAssigneeName = $assignee.DisplayName; App = $null; RoleAssigneeType = 'ServicePrincipal'
        CustomResourceScope = $CustomResourceScope; Enabled = $true; WhenChangedUTC = Get-Now
    }
    Save-Tenant $tenant
    Out-Row $tenant.assignments[-1]
}

# Follows assignment, scope and group, as Exchange does.
function Test-ServicePrincipalAuthorization {
    [CmdletBinding()] param([string] $Identity, [string] $Resource)
    $tenant = Enter-Call $PSCmdlet $PSBoundParameters
    if (-not $tenant) { return }
    foreach ($assignment in @($tenant.assignments | Where-Object { $_.RoleAssignee -eq $Identity -and $_.Enabled })) {
        $scope = $tenant.scopes | Where-Object { $_.Name -eq $assignment.CustomResourceScope }
        $groups = @($tenant.groups | Where-Object { $scope -and $scope.RecipientFilter.Contains("'$($_.DistinguishedName -replace "'", "''")'") })
        [pscustomobject]@{
            RoleName = $assignment.Role; GrantedPermissions = $assignment.Role -replace '^Application '; AllowedResourceScope = $assignment.CustomResourceScope
            ScopeType = 'CustomRecipientScope'; InScope = "$(@($groups.Members) -contains $Resource)"
        }
    }
}

# Exchange shows an administrator only the commands of their roles.
$hidden = @((Read-Tenant).hidden)
$commands = @(
    'Get-ConnectionInformation', 'Get-OrganizationConfig', 'Get-Mailbox', 'Get-DistributionGroup', 'New-DistributionGroup', 'Set-DistributionGroup'
    'Get-DistributionGroupMember', 'Add-DistributionGroupMember', 'Remove-DistributionGroupMember', 'Get-ServicePrincipal', 'New-ServicePrincipal'
    'Get-ManagementScope', 'New-ManagementScope', 'Set-ManagementScope', 'Get-ManagementRoleAssignment', 'New-ManagementRoleAssignment'
    'Test-ServicePrincipalAuthorization'
)
Export-ModuleMember -Function ($commands | Where-Object { $_ -notin $hidden })
