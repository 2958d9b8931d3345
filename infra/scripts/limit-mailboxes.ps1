#Requires -Version 7.2
<#
.SYNOPSIS
Lets the relay send from the mailboxes you name, and from no others.

.DESCRIPTION
Uses Role Based Access Control for Applications in Exchange Online: a mail-enabled security group holds the
sender mailboxes, a management scope covers its members, and the application gets the role
"Application Mail.Send" within that scope. The script first checks what exists, changes nothing that belongs to
another application, and stops at the first error. You can run it again at any time: after adding a mailbox, or
only to test.

Then it tests both ways: each mailbox you name must be in scope, and -OutsideMailbox must not be. The exit status is
0 only if every check passed.

Consent in Entra ID is separate and wider: while the application has Mail.Send there, it can send from every
mailbox, regardless of the scope. The script reports such a grant, and removes it with -RemoveTenantWideGrant.
Exchange applies a change within 30 minutes to 2 hours. Remove the tenant-wide grant only after that;
otherwise Exchange rejects emails in between.

Install the modules once, then sign in. Each PowerShell session needs its own sign-in, so run the script in the same one:
    Install-Module ExchangeOnlineManagement, Microsoft.Graph.Authentication -Scope CurrentUser
    Connect-ExchangeOnline                                                    (Exchange Administrator)
    Connect-MgGraph -Scopes Application.Read.All                              (to read tenant-wide grants)
    Connect-MgGraph -Scopes Application.Read.All, AppRoleAssignment.ReadWrite.All   (to remove them)

.PARAMETER ClientId
Application (client) ID of the app registration.

.PARAMETER ServicePrincipalId
Object ID of the enterprise application. It is not the object ID of the app registration:
Entra admin center > Enterprise apps > the app > Object ID.

.PARAMETER Mailbox
The sender mailboxes, shared or licensed.

.PARAMETER OutsideMailbox
Any mailbox from which the relay must not be able to send, for the negative test.

.PARAMETER TenantId
ID of the tenant that you expect to be connected to. The script stops in any other.

.PARAMETER AlsoGrant
Further permissions for the same mailboxes: Mail.Read to look up an email in Sent Items if its outcome is unknown.
Mail.ReadWrite to send drafts (MAIL_LARGE_ATTACHMENTS, MAIL_DELIVERY); it includes Mail.Read, and deleting. If you omit a permission that was granted before, the script says how to remove it, and fails.

.PARAMETER RemoveOthers
Removes mailboxes that you do not name from the group, if the group is that of this relay. Without it, the script only reports them, and fails.

.PARAMETER RemoveTenantWideGrant
Removes the mail permissions that the application has for the whole tenant.

.PARAMETER Force
Removes the tenant-wide grant even if the last change is less than two hours old.

.PARAMETER Name
Name of the group and the scope, and beginning of the names of the role assignments. Each relay of a tenant needs its own.

.EXAMPLE
./limit-mailboxes.ps1 -ClientId 7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55 -ServicePrincipalId 0f8e7d6c-1b2a-4c3d-9e8f-a7b6c5d4e3f2 -Mailbox noreply@contoso.com, payroll@contoso.com -OutsideMailbox ceo@contoso.com -WhatIf
#>
[CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
param(
    [Parameter(Mandatory)] [guid] $ClientId,
    [Parameter(Mandatory)] [guid] $ServicePrincipalId,
    [Parameter(Mandatory)] [ValidatePattern('^[^\s@]+@[^\s@]+$')] [string[]] $Mailbox,
    [Parameter(Mandatory)] [ValidatePattern('^[^\s@]+@[^\s@]+$')] [string] $OutsideMailbox,
    [guid] $TenantId,
    [ValidateSet('Mail.Read', 'Mail.ReadWrite')] [string[]] $AlsoGrant = @(),
    [switch] $RemoveOthers,
    [switch] $RemoveTenantWideGrant,
    [switch] $Force,
    # A role assignment has at most 64 characters, and gets the name of its permission after this one.
    [ValidateLength(1, 45)] [ValidatePattern('^[\w .-]+$')] [string] $Name = 'Graph Mail Relay'
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# Get-ConnectionInformation, and the names of the parameters used here.
$OldestExchangeModule = [version]'3.4.0'
# Exchange may answer from its cache for so long (Role Based Access Control for Applications, limitations).
$CacheHours = 2
# What was created a moment ago is not known to every server of Exchange yet.
$RetryTimes = 12
$RetrySeconds = if ($env:RETRY_SECONDS) { [int]$env:RETRY_SECONDS } else { 10 }
$GraphAppId = '00000003-0000-0000-c000-000000000000'
$ExchangeAppId = '00000002-0000-0ff1-ce00-000000000000'
$Permissions = @('Mail.Send') + @($AlsoGrant | Select-Object -Unique)
$Failures = [System.Collections.Generic.List[string]]::new()
# What this run has changed; Exchange does not apply it yet.
$Changes = [System.Collections.Generic.List[string]]::new()
$Made = $null
$OwnIds = @()
$ExpectedTenant = if ($PSBoundParameters.ContainsKey('TenantId')) { "$TenantId" } else { '' }
$Exchange = @(
    'Get-OrganizationConfig', 'Get-Mailbox', 'Get-DistributionGroup', 'New-DistributionGroup', 'Set-DistributionGroup'
    'Get-DistributionGroupMember', 'Add-DistributionGroupMember', 'Remove-DistributionGroupMember'
    'Get-ServicePrincipal', 'New-ServicePrincipal', 'Get-ManagementScope', 'New-ManagementScope', 'Set-ManagementScope'
    'Get-ManagementRoleAssignment', 'New-ManagementRoleAssignment', 'Test-ServicePrincipalAuthorization'
)

function Write-Step([string] $Text) { Write-Host "   $Text" }

# Every call of Exchange. Its commands are functions of a module, and $ErrorActionPreference of a script does not reach
# those (PowerShell issue 4568): without -ErrorAction a failed command is followed by the next one.
function Invoke-Exchange([string] $Command, [hashtable] $With = @{}) {
    for ($try = 1; ; $try++) {
        try { return & $Command @With -ErrorAction Stop }
        catch {
            if ("$_" -match 'Enable-OrganizationCustomization') { throw (Get-CustomizationAdvice) }
            if ($Changes.Count -eq 0 -or $try -ge $RetryTimes -or -not (Test-NotFound $_)) { throw }
            if ($try -eq 1) { Write-Step 'waiting until Exchange knows what was created ...' }
            Start-Sleep -Seconds $RetrySeconds
        }
    }
}

function Test-NotFound([System.Management.Automation.ErrorRecord] $Problem) {
    return "$Problem $($Problem.FullyQualifiedErrorId)" -match "ManagementObjectNotFound|couldn't be found|wasn't found"
}

function Get-CustomizationAdvice {
    return 'This tenant was never customised, so Exchange allows no roles and scopes yet. ' +
    'Run Enable-OrganizationCustomization once, wait some minutes until (Get-OrganizationConfig).IsDehydrated is False, ' +
    'then run this script again.'
}

# Runs a change, unless -WhatIf.
function Invoke-Change([string] $Target, [string] $Action, [string] $Done, [scriptblock] $Change) {
    if (-not $PSCmdlet.ShouldProcess($Target, $Action)) {
        if ($WhatIfPreference) { return }
        throw "You declined to $($Action.Substring(0, 1).ToLowerInvariant())$($Action.Substring(1)), and the rest depends on it."
    }
    $null = & $Change
    $Changes.Add($Done)
    Write-Step $Done
}

function Assert-Module {
    $found = @(Get-Module ExchangeOnlineManagement) + @(Get-Module ExchangeOnlineManagement -ListAvailable)
    $newest = $found | Sort-Object Version -Descending | Select-Object -First 1
    if ($null -eq $newest) {
        throw 'The module ExchangeOnlineManagement is not installed. Run: Install-Module ExchangeOnlineManagement -Scope CurrentUser'
    }
    if ($newest.Version -lt $OldestExchangeModule) {
        throw "The module ExchangeOnlineManagement $($newest.Version) is too old; expected $OldestExchangeModule or newer. " +
        'Run: Update-Module ExchangeOnlineManagement, then open a new PowerShell session and connect again.'
    }
}

# The tenant that Exchange commands go to.
function Get-ExchangeTenant {
    # Security & Compliance PowerShell appears in the same list, and has no mailboxes.
    $connected = @(Get-ConnectionInformation -ErrorAction Stop |
            Where-Object { $_.State -eq 'Connected' -and "$($_.ConnectionUri)" -notmatch 'compliance\.protection\.' })
    if ($connected.Count -eq 0) {
        throw 'You are not connected to Exchange Online. As an Exchange Administrator, run in this PowerShell session: Connect-ExchangeOnline'
    }
    $tenants = @($connected | ForEach-Object { "$($_.TenantID)" } | Select-Object -Unique)
    if ($tenants.Count -gt 1) {
        throw "This session is connected to Exchange Online in $($tenants.Count) tenants ($($tenants -join ', ')). " +
        'Run Disconnect-ExchangeOnline, then Connect-ExchangeOnline to the tenant of the relay.'
    }
    return $tenants[0]
}

# Null if Graph cannot be asked.
function Get-GraphContext {
    if ($null -eq (Get-Command Get-MgContext -ErrorAction SilentlyContinue)) { return $null }
    return Get-MgContext
}

function Assert-Tenant([string] $ExchangeTenant, [object] $Graph) {
    if ($null -ne $Graph -and "$($Graph.TenantId)" -ne $ExchangeTenant) {
        throw "Exchange Online is connected to tenant $ExchangeTenant, and Graph to tenant $($Graph.TenantId). " +
        'Connect both to the tenant of the relay: Disconnect-ExchangeOnline; Disconnect-MgGraph; then connect again.'
    }
    if ($ExpectedTenant -and $ExpectedTenant -ne $ExchangeTenant) {
        throw "You are connected to tenant $ExchangeTenant, expected $ExpectedTenant. Run Disconnect-ExchangeOnline, then Connect-ExchangeOnline as an administrator of that tenant."
    }
}

# Exchange shows only the commands that a role of the administrator allows.
function Assert-Role {
    $missing = @($Exchange | Where-Object { $null -eq (Get-Command $_ -ErrorAction SilentlyContinue) })
    if ($missing.Count -gt 0) {
        throw "Your account cannot run $($missing -join ', '). Connect as an Exchange Administrator (role group Organization Management)."
    }
}

# All pages of a list of Graph.
function Get-GraphList([string] $Uri) {
    while ($Uri) {
        $page = Invoke-MgGraphRequest -Method GET -Uri $Uri -OutputType PSObject -ErrorAction Stop
        $page.value
        $next = $page.PSObject.Properties['@odata.nextLink']
        $Uri = if ($null -eq $next) { '' } else { $next.Value }
    }
}

# Both IDs have to be those of one enterprise application of this tenant.
function Assert-Application {
    $found = @(Get-GraphList "v1.0/servicePrincipals?`$filter=appId eq '$ClientId'&`$select=id,appId,displayName")
    if ($found.Count -eq 0) {
        throw "The tenant has no enterprise application with the client ID $ClientId. Check -ClientId, and that you are connected to the tenant of the relay."
    }
    if ("$($found[0].id)" -ne "$ServicePrincipalId") {
        throw "The enterprise application of client ID $ClientId has the Object ID $($found[0].id), not $ServicePrincipalId. Run this again with -ServicePrincipalId $($found[0].id)"
    }
}

# The mailbox behind an address, primary or proxy.
function Resolve-SenderMailbox([string] $Address) {
    try { $found = @(Invoke-Exchange Get-Mailbox @{ Identity = $Address }) }
    catch {
        if (-not (Test-NotFound $_)) { throw }
        $found = @()
    }
    if ($found.Count -eq 0) {
        throw "Exchange Online has no mailbox $Address. Give the address of a shared or licensed mailbox."
    }
    if ($found.Count -gt 1) {
        throw "$Address matches $($found.Count) mailboxes in Exchange Online. Give the primary address of one."
    }
    return $found[0]
}

# What Exchange can call the application in a role assignment: usually its Object ID. Never its display name, which two
# relays can share.
function Get-OwnIds([object[]] $Known) {
    "$ServicePrincipalId"
    "$ClientId"
    foreach ($pointer in @($Known | Where-Object { "$($_.AppId)" -eq "$ClientId" })) {
        foreach ($property in 'Identity', 'Id', 'Guid', 'ExchangeObjectId', 'DistinguishedName', 'Sid') {
            $value = $pointer.PSObject.Properties[$property]
            if ($null -ne $value -and "$($value.Value)" -and "$($value.Value)" -ne "$($pointer.DisplayName)") { "$($value.Value)" }
        }
    }
}

function Test-Ours([object] $Assignment) {
    $names = @("$($Assignment.RoleAssignee)", "$($Assignment.RoleAssigneeName)", "$($Assignment.App)")
    return @($OwnIds | Where-Object { $_ -in $names }).Count -gt 0
}

function Get-AssigneeName([object] $Assignment, [object[]] $Known) {
    $ids = "$($Assignment.RoleAssignee)", "$($Assignment.App)"
    $pointer = @($Known | Where-Object { "$($_.ObjectId)" -in $ids -or "$($_.AppId)" -in $ids })
    if ($pointer.Count -eq 0) { return "$($Assignment.RoleAssignee)" }
    return "'$($pointer[0].DisplayName)' (client ID $($pointer[0].AppId), Object ID $($pointer[0].ObjectId))"
}

# Before anything is changed: does the name belong to another application, or this application to another name?
# Returns the assignments of this application.
function Assert-NameIsFree([object[]] $Known) {
    $all = @(Invoke-Exchange Get-ManagementRoleAssignment | Where-Object { "$($_.RoleAssigneeType)" -eq 'ServicePrincipal' })
    $reserved = @($Permissions | ForEach-Object { "$Name $_" })
    foreach ($assignment in $all) {
        $usesName = "$($assignment.CustomResourceScope)" -eq $Name -or "$($assignment.Name)" -in $reserved
        if ($usesName -and -not (Test-Ours $assignment)) {
            $other = Get-AssigneeName $assignment $Known
            throw "The name '$Name' belongs to another application: $other has the role '$($assignment.Role)' by it. Nothing was changed. " +
            "For a second relay, run this again with a -Name of its own. If that was an earlier registration of this relay, first remove what it has: " +
            "Remove-ManagementRoleAssignment '$($assignment.Name)'; Remove-ServicePrincipal '$($assignment.RoleAssignee)'"
        }
    }
    $ours = @($all | Where-Object { Test-Ours $_ })
    foreach ($permission in $Permissions) {
        foreach ($assignment in @($ours | Where-Object { "$($_.Role)" -eq "Application $permission" })) {
            $scope = "$($assignment.CustomResourceScope)"
            if ($scope -ne $Name) {
                $where = if ($scope) { "within the scope '$scope'" } else { 'without a scope of this script' }
                $continue = if ($scope) { "To change that scope, run this again with -Name '$scope'. " } else { '' }
                throw "The application already has the role 'Application $permission' $where (assignment '$($assignment.Name)'), and both would apply. Nothing was changed. " +
                "${continue}To replace it by '$Name', first run: Remove-ManagementRoleAssignment '$($assignment.Name)'"
            }
            if ("$($assignment.Enabled)" -eq 'False') {
                throw "The role assignment '$($assignment.Name)' is disabled. Nothing was changed. Enable it: Set-ManagementRoleAssignment '$($assignment.Name)' -Enabled `$true"
            }
        }
    }
    $taken = @($ours | Where-Object { "$($_.Name)" -in $reserved -and "$($_.Role)" -ne "Application $("$($_.Name)".Substring($Name.Length + 1))" })
    if ($taken.Count -gt 0) {
        throw "The role assignment '$($taken[0].Name)' has the role '$($taken[0].Role)'. Nothing was changed. Remove it, or run this again with another -Name."
    }
    return $ours
}

function Assert-Pointer([object[]] $Known) {
    $wrong = @($Known | Where-Object { "$($_.AppId)" -eq "$ClientId" -and "$($_.ObjectId)" -ne "$ServicePrincipalId" })
    if ($wrong.Count -gt 0) {
        throw "Exchange has the application with another Object ID ($($wrong[0].ObjectId)). Nothing was changed. " +
        'Give the Object ID of the enterprise application, not that of the app registration. ' +
        "If the enterprise application was created again since, remove the earlier one with its role assignments: " +
        "Get-ManagementRoleAssignment | Where-Object RoleAssignee -eq '$($wrong[0].ObjectId)' | Remove-ManagementRoleAssignment; Remove-ServicePrincipal '$($wrong[0].ObjectId)'"
    }
}

# By the exact name: -Identity would also match an alias or an address.
function Find-SenderGroup {
    $found = @(Invoke-Exchange Get-DistributionGroup @{ Filter = "Name -eq '$Name'" })
    if ($found.Count -eq 0) { return $null }
    if ("$($found[0].RecipientTypeDetails)" -ne 'MailUniversalSecurityGroup') {
        throw "The group '$Name' is a $($found[0].RecipientTypeDetails), expected a mail-enabled security group. Nothing was changed. " +
        'Anyone who can change another kind of group could let the relay send from more mailboxes. Run this again with another -Name.'
    }
    return $found[0]
}

function Find-SenderScope {
    return Invoke-Exchange Get-ManagementScope | Where-Object { "$($_.Name)" -eq $Name } | Select-Object -First 1
}

# A scope with another name over the same group would be widened with it.
function Assert-GroupIsOurs([object] $Group, [object[]] $Scopes, [object[]] $Assignments) {
    foreach ($scope in @($Scopes | Where-Object { "$($_.Name)" -ne $Name -and (Test-Mentions $_ $Group) })) {
        $users = @($Assignments | Where-Object { "$($_.CustomResourceScope)" -eq "$($scope.Name)" -and -not (Test-Ours $_) })
        if ($users.Count -gt 0) {
            throw "The group '$Name' also limits another application, by the scope '$($scope.Name)'. Nothing was changed. Run this again with another -Name."
        }
    }
}

# A group of this name that somebody made for another purpose: its members would become senders, and -RemoveOthers would empty it.
function Assert-GroupIsNotForeign([object] $Group, [object] $Scope, [object[]] $Ours, [object[]] $Mailboxes) {
    if ($null -ne $Scope -and (Test-Mentions $Scope $Group)) { return }
    if (@($Ours | Where-Object { "$($_.CustomResourceScope)" -eq $Name }).Count -gt 0) { return }
    $named = @($Mailboxes | ForEach-Object { "$($_.PrimarySmtpAddress)" })
    $members = @(Invoke-Exchange Get-DistributionGroupMember @{ Identity = "$($Group.Guid)"; ResultSize = 'Unlimited' })
    $others = @($members | Where-Object { "$($_.PrimarySmtpAddress)" -notin $named })
    if ($others.Count -gt 0) {
        throw "The group '$Name' already exists, no scope or role of this application refers to it, and it has $($others.Count) member(s) that you did not name. Nothing was changed. " +
        'Run this again with another -Name. If the group is meant for this relay alone, first remove those members from it, or name them in -Mailbox.'
    }
}

function Test-Mentions([object] $Scope, [object] $Group) {
    return "$($Scope.RecipientFilter)".Contains("$($Group.DistinguishedName -replace "'", "''")", [StringComparison]::OrdinalIgnoreCase)
}

function Set-SenderGroup([object] $Group, [object[]] $Mailboxes) {
    if ($null -eq $Group) {
        # Without -IgnoreNamingPolicy a policy of the tenant can give it another name, and the next run would not find it.
        Invoke-Change $Name 'Create a mail-enabled security group for the sender mailboxes' "created the group '$Name'" {
            $script:Made = Invoke-Exchange New-DistributionGroup @{
                Name = $Name; Type = 'Security'; MemberJoinRestriction = 'Closed'; MemberDepartRestriction = 'Closed'; IgnoreNamingPolicy = $true
            }
        }
        $Group = $script:Made
        $members = @()
    }
    else {
        $members = @(Invoke-Exchange Get-DistributionGroupMember @{ Identity = "$($Group.Guid)"; ResultSize = 'Unlimited' })
    }
    $id = if ($null -eq $Group) { $Name } else { "$($Group.Guid)" }
    if ($null -ne $Group -and "$($Group.HiddenFromAddressListsEnabled)" -ne 'True') {
        Invoke-Change $Name 'Hide the group from address lists' "hid the group '$Name' from address lists" {
            Invoke-Exchange Set-DistributionGroup @{ Identity = $id; HiddenFromAddressListsEnabled = $true; BypassSecurityGroupManagerCheck = $true }
        }
    }
    $memberAddresses = @($members | ForEach-Object { "$($_.PrimarySmtpAddress)" })
    foreach ($mailbox in $Mailboxes) {
        $address = "$($mailbox.PrimarySmtpAddress)"
        if ($memberAddresses -contains $address) { continue }
        Invoke-Change $address "Add to the group '$Name'" "added $address" {
            Invoke-Exchange Add-DistributionGroupMember @{ Identity = $id; Member = $address; BypassSecurityGroupManagerCheck = $true }
        }
    }
    foreach ($member in $members) {
        $address = "$($member.PrimarySmtpAddress)"
        if (@($Mailboxes | ForEach-Object { "$($_.PrimarySmtpAddress)" }) -contains $address) { continue }
        $who = if ($address) { $address } else { "$($member.Name)" }
        if (-not $RemoveOthers) {
            $Failures.Add("$who is also in the group '$Name', so the relay can send from it. To remove it, run this again with -RemoveOthers; to keep it, name it in -Mailbox.")
            continue
        }
        Invoke-Change $who "Remove from the group '$Name'" "removed $who" {
            Invoke-Exchange Remove-DistributionGroupMember @{
                Identity = $id; Member = $(if ($address) { $address } else { "$($member.Guid)" }); BypassSecurityGroupManagerCheck = $true; Confirm = $false
            }
        }
    }
    return $Group
}

function Set-ServicePrincipalPointer([object[]] $Known) {
    if (@($Known | Where-Object { "$($_.AppId)" -eq "$ClientId" }).Count -gt 0) { return }
    Invoke-Change "$ClientId" 'Register the application in Exchange' 'registered the application in Exchange' {
        $null = Invoke-Exchange New-ServicePrincipal @{ AppId = "$ClientId"; ObjectId = "$ServicePrincipalId"; DisplayName = $Name }
    }
}

# Direct members count, members of nested groups do not.
function Set-SenderScope([object] $Scope, [object] $Group) {
    $filter = if ($null -ne $Group) { "MemberOfGroup -eq '$($Group.DistinguishedName -replace "'", "''")'" }
    if ($null -eq $Scope) {
        Invoke-Change $Name 'Create a management scope of the members of the group' "created the scope '$Name'" {
            $null = Invoke-Exchange New-ManagementScope @{ Name = $Name; RecipientRestrictionFilter = $filter }
        }
        return
    }
    # Exchange may add brackets and blanks. Anything else beside the group, such as an -or, lets in more mailboxes.
    $operators = "$($Scope.RecipientFilter)" -replace "'(?:[^']|'')*'", ''
    if ($null -ne $Group -and (Test-Mentions $Scope $Group) -and $operators -match '^[\s()]*MemberOfGroup[\s()]+-eq[\s()]*$') { return }
    Invoke-Change $Name "Point the management scope at the group (it was: $($Scope.RecipientFilter))" "pointed the scope '$Name' at the group" {
        Invoke-Exchange Set-ManagementScope @{ Identity = $Name; RecipientRestrictionFilter = $filter }
    }
}

function Set-RoleInScope([string] $Permission, [object[]] $Ours) {
    if (@($Ours | Where-Object { "$($_.Role)" -eq "Application $Permission" }).Count -gt 0) { return }
    Invoke-Change "$Name $Permission" "Assign the role 'Application $Permission' within the scope '$Name'" "assigned 'Application $Permission' within the scope" {
        $null = Invoke-Exchange New-ManagementRoleAssignment @{
            Name = "$Name $Permission"; App = "$ServicePrincipalId"; Role = "Application $Permission"; CustomResourceScope = $Name
        }
    }
}

# What Exchange would allow. It looks past its cache, and does not see what Entra ID grants.
function Test-InScope([string] $Address, [string] $Permission) {
    $rows = @(Invoke-Exchange Test-ServicePrincipalAuthorization @{ Identity = "$ServicePrincipalId"; Resource = $Address } |
            Where-Object { "$($_.RoleName)" -in "Application $Permission", 'Application Mail Full Access' })
    # A row alone is no access: InScope must be True.
    return @($rows | Where-Object { "$($_.InScope)" -eq 'True' }).Count -gt 0
}

function Test-Mailbox([string] $Address, [string] $Permission, [bool] $Expected) {
    $inScope = Test-InScope $Address $Permission
    for ($try = 1; $inScope -ne $Expected -and $Changes.Count -gt 0 -and $try -lt $RetryTimes; $try++) {
        if ($try -eq 1) { Write-Step 'waiting until Exchange knows what was changed ...' }
        Start-Sleep -Seconds $RetrySeconds
        $inScope = Test-InScope $Address $Permission
    }
    if ($inScope -ne $Expected) {
        $Failures.Add("$Address is $(if ($inScope) { 'in' } else { 'not in' }) scope for $Permission, expected the opposite.")
    }
    [pscustomobject]@{ Mailbox = $Address; Permission = $Permission; InScope = $inScope; Expected = $Expected; Passed = $inScope -eq $Expected }
}

# Other roles that reach mail: in another scope, in none, or in this one without having been asked for.
function Test-OtherRole([object[]] $Ours) {
    foreach ($assignment in $Ours) {
        if ("$($assignment.Role)" -notmatch '^Application (Mail|EWS|SMTP|IMAP|POP|Exchange)\b') { continue }
        if ("$($assignment.CustomResourceScope)" -eq $Name) {
            if ("$($assignment.Role)" -in @($Permissions | ForEach-Object { "Application $_" })) { continue }
            $permission = "$($assignment.Role)" -replace '^Application '
            $keep = if ($permission -in 'Mail.Read', 'Mail.ReadWrite') { "to keep it, run this again with -AlsoGrant $permission" } else { 'this script never assigns it' }
            $Failures.Add("The application also has the role '$($assignment.Role)' for these mailboxes. To remove it, run: Remove-ManagementRoleAssignment '$($assignment.Name)'; $keep.")
            continue
        }
        $Failures.Add("The application also has the role '$($assignment.Role)' outside the scope '$Name'. If it needs no other mailboxes, run: Remove-ManagementRoleAssignment '$($assignment.Name)'")
    }
}

# Grants of Entra ID that Exchange does not limit: those on Microsoft Graph and on Exchange Online itself.
function Get-TenantWideGrant {
    $assigned = @(Get-GraphList "v1.0/servicePrincipals/$ServicePrincipalId/appRoleAssignments")
    foreach ($resourceAppId in $GraphAppId, $ExchangeAppId) {
        foreach ($resource in @(Get-GraphList "v1.0/servicePrincipals?`$filter=appId eq '$resourceAppId'&`$select=id,appRoles")) {
            foreach ($grant in @($assigned | Where-Object { $_.resourceId -eq $resource.id })) {
                $permission = $resource.appRoles | Where-Object { $_.id -eq $grant.appRoleId } | ForEach-Object { $_.value }
                if ($permission -match '^(Mail\.|full_access_as_app$|SMTP\.SendAsApp$)') {
                    [pscustomobject]@{ Id = $grant.id; Permission = $permission }
                }
            }
        }
    }
}

# A date of Exchange: a DateTime or, after serialisation, text.
function ConvertTo-Utc([object] $Moment) {
    if ($Moment -is [datetime]) { return $(if ($Moment.Kind -eq 'Local') { $Moment.ToUniversalTime() } else { $Moment }) }
    $read = [datetime]::MinValue
    $style = [Globalization.DateTimeStyles]'AssumeUniversal, AdjustToUniversal'
    # What cannot be read counts as changed now.
    return $(if ([datetime]::TryParse("$Moment", [cultureinfo]::InvariantCulture, $style, [ref]$read)) { $read } else { [datetime]::UtcNow })
}

# Group, scope and roles: Exchange sees the last change of each only after its cache.
function Test-Established([object] $Group, [object] $Scope, [object[]] $Ours) {
    $moments = @($Group, $Scope) + $Ours | ForEach-Object { ConvertTo-Utc $_.WhenChangedUTC }
    return @($moments | Where-Object { $_ -gt [datetime]::UtcNow.AddHours(-$CacheHours) }).Count -eq 0
}

# For -WhatIf: what a run would find and remove, if every check passes and Exchange has applied the last change.
function Show-TenantWideGrant([object] $Graph) {
    if ($null -eq $Graph) {
        Write-Step 'not connected to Graph, so tenant-wide grants are not shown'
        return
    }
    foreach ($grant in @(Get-TenantWideGrant)) {
        if ($RemoveTenantWideGrant) { Invoke-Change $grant.Permission "Remove the tenant-wide grant, $CacheHours hours after the last change" '' {} }
        else { $Failures.Add("The application has $($grant.Permission) for the whole tenant, so the scope limits nothing. -RemoveTenantWideGrant removes it.") }
    }
}

function Remove-TenantWideGrant([object] $Graph, [scriptblock] $IsEstablished) {
    if ($null -eq $Graph) {
        $Failures.Add('Not checked: whether consent in Entra ID lets the application send from every mailbox, because you are not connected to Graph. ' +
            'Run in this session: Connect-MgGraph -Scopes Application.Read.All (module Microsoft.Graph.Authentication), then run this script again.' +
            $(if ($RemoveTenantWideGrant) { ' Nothing was removed.' }))
        return
    }
    $grants = @(Get-TenantWideGrant)
    if ($grants.Count -eq 0) {
        Write-Step 'the application has no tenant-wide grant'
        return
    }
    $named = ($grants.Permission | Sort-Object -Unique) -join ', '
    if (-not $RemoveTenantWideGrant) {
        $Failures.Add("The application has $named for the whole tenant, so the scope limits nothing. Run this again with -RemoveTenantWideGrant two hours after the last change.")
    }
    elseif ($Failures.Count -gt 0) {
        $Failures.Add("$named for the whole tenant was not removed, because of the above.")
    }
    elseif (-not $Force -and $Changes.Count -gt 0) {
        $Failures.Add("$named for the whole tenant was not removed: this run has changed something ($($Changes -join '; ')), and Exchange would reject emails until it applies that. Run this again after $CacheHours hours, or now with -Force.")
    }
    elseif (-not $Force -and -not (& $IsEstablished)) {
        $Failures.Add("$named for the whole tenant was not removed: the last change of group, scope or role is less than $CacheHours hours old, and Exchange would reject emails until it applies that. Run this again later, or with -Force.")
    }
    elseif ("$($Graph.Scopes)" -and @($Graph.Scopes) -notcontains 'AppRoleAssignment.ReadWrite.All') {
        $Failures.Add("$named for the whole tenant was not removed: this connection to Graph may not. As a Privileged Role Administrator, run: Connect-MgGraph -Scopes Application.Read.All, AppRoleAssignment.ReadWrite.All")
    }
    else {
        foreach ($grant in $grants) {
            Invoke-Change $grant.Permission 'Remove the tenant-wide grant' "removed $($grant.Permission) for the whole tenant" {
                $null = Invoke-MgGraphRequest -Method DELETE -Uri "v1.0/servicePrincipals/$ServicePrincipalId/appRoleAssignments/$($grant.Id)" -ErrorAction Stop
            }
        }
    }
}

try {
    Assert-Module
    $tenant = Get-ExchangeTenant
    $graph = Get-GraphContext
    Assert-Tenant -ExchangeTenant $tenant -Graph $graph
    Assert-Role
    if ($null -ne $graph) { Assert-Application }
    if ("$((Invoke-Exchange Get-OrganizationConfig).IsDehydrated)" -eq 'True') { throw (Get-CustomizationAdvice) }

    # Two addresses of one mailbox are one sender.
    $senders = @($Mailbox | ForEach-Object { Resolve-SenderMailbox $_ } | Sort-Object { "$($_.PrimarySmtpAddress)" } -Unique)
    $outside = Resolve-SenderMailbox $OutsideMailbox
    if (@($senders | ForEach-Object { "$($_.PrimarySmtpAddress)" }) -contains "$($outside.PrimarySmtpAddress)") {
        throw "-OutsideMailbox must be a mailbox that the relay is not allowed to send from; $OutsideMailbox is one of -Mailbox."
    }
    $known = @(Invoke-Exchange Get-ServicePrincipal)
    Assert-Pointer $known
    $OwnIds = @(Get-OwnIds $known)
    $ours = @(Assert-NameIsFree $known)
    $group = Find-SenderGroup
    $scope = Find-SenderScope
    if ($null -ne $group) {
        Assert-GroupIsOurs $group @(Invoke-Exchange Get-ManagementScope) @(Invoke-Exchange Get-ManagementRoleAssignment)
        Assert-GroupIsNotForeign $group $scope $ours $senders
    }

    $group = Set-SenderGroup $group $senders
    Set-ServicePrincipalPointer $known
    Set-SenderScope $scope $group
    foreach ($permission in $Permissions) { Set-RoleInScope $permission $ours }

    if ($WhatIfPreference) {
        Test-OtherRole $ours
        Show-TenantWideGrant $graph
        foreach ($failure in $Failures) { Write-Host "   ! $failure" -ForegroundColor Red }
        Write-Host 'Nothing was changed.'
        exit 0
    }

    $results = foreach ($permission in $Permissions) {
        foreach ($sender in $senders) { Test-Mailbox "$($sender.PrimarySmtpAddress)" $permission $true }
        Test-Mailbox "$($outside.PrimarySmtpAddress)" $permission $false
    }
    $results | Format-Table -AutoSize | Out-Host
    Test-OtherRole $ours
    Remove-TenantWideGrant $graph { Test-Established $group (Find-SenderScope) $ours }
}
catch {
    Write-Host "limit-mailboxes.ps1 stopped: $_" -ForegroundColor Red
    if ($Changes.Count -gt 0) { Write-Host "   Until then it did: $($Changes -join '; '). Run the same command again: it continues there." }
    exit 1
}

if ($Failures.Count -gt 0) {
    foreach ($failure in $Failures) { Write-Host "   ! $failure" -ForegroundColor Red }
    Write-Host '   Some checks failed; each line above says what to do.'
    exit 1
}
Write-Host ("   Checked: the application has $($Permissions -join ', ') for $($senders.Count) mailbox(es), and not for $($outside.PrimarySmtpAddress); " +
    "the group has no other member, and Entra ID grants nothing for the whole tenant. Exchange applies a change within 30 minutes to 2 hours.")
exit 0
