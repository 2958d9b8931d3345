#Requires -Version 7.2
#Requires -Modules @{ ModuleName = 'ExchangeOnlineManagement'; ModuleVersion = '3.4.0' }
<#
.SYNOPSIS
Lets the relay send from the mailboxes you name, and from no others.

.DESCRIPTION
Uses Role Based Access Control for Applications in Exchange Online: a mail-enabled security group holds the
sender mailboxes, a management scope covers its members, and the application gets the role
"Application Mail.Send" within that scope. Every step first checks what exists, so you can run the script
again at any time: after adding a mailbox, or only to test.

Then it tests both ways: each mailbox you name must be in scope, and -OutsideMailbox must not be.

Consent in Entra ID is separate and wider: while the application has Mail.Send there, it can send from every
mailbox, regardless of the scope. The script warns you, and removes the consent with -RemoveTenantWideGrant.
Exchange applies a new role within 30 minutes to 2 hours. Remove the tenant-wide grant only after that;
otherwise Exchange rejects emails in between.

Sign in first:
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

.PARAMETER AlsoGrant
Further permissions for the same mailboxes: Mail.Read to look up an email in Sent Items if its outcome is unknown.
The relay does not use Mail.ReadWrite yet.

.PARAMETER RemoveOthers
Removes mailboxes that you do not name from the group. Without it, the script only reports them.

.PARAMETER RemoveTenantWideGrant
Removes the mail permissions that the application has for the whole tenant.

.PARAMETER Force
Removes the tenant-wide grant even if the role is less than two hours old.

.PARAMETER Name
Name of the group and the scope, and beginning of the names of the role assignments.

.EXAMPLE
./limit-mailboxes.ps1 -ClientId 7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55 -ServicePrincipalId 0f8e7d6c-1b2a-4c3d-9e8f-a7b6c5d4e3f2 -Mailbox noreply@contoso.com, payroll@contoso.com -OutsideMailbox ceo@contoso.com -WhatIf
#>
[CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
param(
    [Parameter(Mandatory)] [guid] $ClientId,
    [Parameter(Mandatory)] [guid] $ServicePrincipalId,
    [Parameter(Mandatory)] [ValidatePattern('^[^\s@]+@[^\s@]+$')] [string[]] $Mailbox,
    [Parameter(Mandatory)] [ValidatePattern('^[^\s@]+@[^\s@]+$')] [string] $OutsideMailbox,
    [ValidateSet('Mail.Read', 'Mail.ReadWrite')] [string[]] $AlsoGrant = @(),
    [switch] $RemoveOthers,
    [switch] $RemoveTenantWideGrant,
    [switch] $Force,
    # A role assignment has at most 64 characters, and gets the name of its permission after this one.
    [ValidateLength(1, 45)] [ValidatePattern('^[\w .-]+$')] [string] $Name = 'Graph Mail Relay'
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# Exchange may answer from its cache for so long (Role Based Access Control for Applications, limitations).
$CacheHours = 2
$GraphAppId = '00000003-0000-0000-c000-000000000000'
$ExchangeAppId = '00000002-0000-0ff1-ce00-000000000000'
$Permissions = @('Mail.Send') + $AlsoGrant
$Failures = [System.Collections.Generic.List[string]]::new()

function Write-Step([string] $Text) { Write-Host "   $Text" }

function Assert-Connected {
    $connected = @(Get-ConnectionInformation -ErrorAction SilentlyContinue | Where-Object { $_.State -eq 'Connected' })
    if ($connected.Count -eq 0) {
        throw 'You are not connected to Exchange Online. As an Exchange Administrator, run: Connect-ExchangeOnline'
    }
}

# The mailbox behind an address, primary or proxy.
function Resolve-SenderMailbox([string] $Address) {
    $found = Get-Mailbox -Identity $Address -ErrorAction SilentlyContinue
    if ($null -eq $found) {
        throw "Exchange Online has no mailbox $Address. Give the address of a shared or licensed mailbox."
    }
    return $found
}

function Set-SenderGroup([object[]] $Mailboxes) {
    $group = Get-DistributionGroup -Identity $Name -ErrorAction SilentlyContinue
    if ($null -eq $group) {
        if (-not $PSCmdlet.ShouldProcess($Name, 'Create a mail-enabled security group for the sender mailboxes')) { return $null }
        $group = New-DistributionGroup -Name $Name -Type Security -MemberJoinRestriction Closed -MemberDepartRestriction Closed
        Set-DistributionGroup -Identity $Name -HiddenFromAddressListsEnabled $true -BypassSecurityGroupManagerCheck
        Write-Step "created the group '$Name'"
    }
    $members = @(Get-DistributionGroupMember -Identity $Name -ResultSize Unlimited)
    $memberAddresses = @($members | ForEach-Object { $_.PrimarySmtpAddress })
    foreach ($mailbox in $Mailboxes) {
        if ($memberAddresses -contains $mailbox.PrimarySmtpAddress) { continue }
        if ($PSCmdlet.ShouldProcess($mailbox.PrimarySmtpAddress, "Add to the group '$Name'")) {
            Add-DistributionGroupMember -Identity $Name -Member $mailbox.PrimarySmtpAddress -BypassSecurityGroupManagerCheck
            Write-Step "added $($mailbox.PrimarySmtpAddress)"
        }
    }
    foreach ($member in $members) {
        if (@($Mailboxes.PrimarySmtpAddress) -contains $member.PrimarySmtpAddress) { continue }
        if (-not $RemoveOthers) {
            Write-Warning "$($member.PrimarySmtpAddress) is also in the group, so the relay can send from it. To remove it, run this again with -RemoveOthers."
        }
        elseif ($PSCmdlet.ShouldProcess($member.PrimarySmtpAddress, "Remove from the group '$Name'")) {
            Remove-DistributionGroupMember -Identity $Name -Member $member.PrimarySmtpAddress -BypassSecurityGroupManagerCheck -Confirm:$false
            Write-Step "removed $($member.PrimarySmtpAddress)"
        }
    }
    return $group
}

function Set-ServicePrincipalPointer {
    $known = @(Get-ServicePrincipal | Where-Object { $_.AppId -eq "$ClientId" })
    $right = @($known | Where-Object { $_.ObjectId -eq "$ServicePrincipalId" })
    if ($right.Count -gt 0) { return }
    if ($known.Count -gt 0) {
        throw "Exchange has the application with another object ID ($($known[0].ObjectId)). " +
        'Give the Object ID of the enterprise application, not that of the app registration. ' +
        "If Exchange has the wrong one: Remove-ServicePrincipal -Identity $($known[0].ObjectId)"
    }
    if ($PSCmdlet.ShouldProcess("$ClientId", 'Register the application in Exchange')) {
        $null = New-ServicePrincipal -AppId "$ClientId" -ObjectId "$ServicePrincipalId" -DisplayName $Name
        Write-Step 'registered the application in Exchange'
    }
}

# Direct members count, members of nested groups do not.
function Set-SenderScope([object] $Group) {
    $filter = "MemberOfGroup -eq '$($Group.DistinguishedName -replace "'", "''")'"
    $scope = Get-ManagementScope -Identity $Name -ErrorAction SilentlyContinue
    if ($null -eq $scope) {
        if ($PSCmdlet.ShouldProcess($Name, 'Create a management scope of the members of the group')) {
            $null = New-ManagementScope -Name $Name -RecipientRestrictionFilter $filter
            Write-Step "created the scope '$Name'"
        }
    }
    elseif (-not "$($scope.RecipientFilter)".Contains($Group.DistinguishedName, [StringComparison]::OrdinalIgnoreCase)) {
        if ($PSCmdlet.ShouldProcess($Name, "Point the management scope at the group (it was: $($scope.RecipientFilter))")) {
            Set-ManagementScope -Identity $Name -RecipientRestrictionFilter $filter
            Write-Step "pointed the scope '$Name' at the group"
        }
    }
}

function Set-RoleInScope([string] $Permission) {
    $assignment = "$Name $Permission"
    if ($null -ne (Get-ManagementRoleAssignment -Identity $assignment -ErrorAction SilentlyContinue)) { return }
    if ($PSCmdlet.ShouldProcess($assignment, "Assign the role 'Application $Permission' within the scope '$Name'")) {
        $null = New-ManagementRoleAssignment -Name $assignment -App "$ServicePrincipalId" -Role "Application $Permission" -CustomResourceScope $Name
        Write-Step "assigned 'Application $Permission' within the scope"
    }
}

# What Exchange would allow. It looks past its cache, and does not see what Entra ID grants.
function Test-Mailbox([string] $Address, [string] $Permission, [bool] $Expected) {
    $rows = @(Test-ServicePrincipalAuthorization -Identity "$ServicePrincipalId" -Resource $Address |
            Where-Object { $_.RoleName -eq "Application $Permission" -or $_.RoleName -eq 'Application Mail Full Access' })
    # A row alone is no access: InScope must be True.
    $inScope = @($rows | Where-Object { "$($_.InScope)" -eq 'True' }).Count -gt 0
    if ($inScope -ne $Expected) {
        $Failures.Add("$Address is $(if ($inScope) { 'in' } else { 'not in' }) scope for $Permission, expected the opposite.")
    }
    [pscustomobject]@{ Mailbox = $Address; Permission = $Permission; InScope = $inScope; Expected = $Expected; Passed = $inScope -eq $Expected }
}

# Grants of Entra ID that Exchange does not limit: those on Microsoft Graph and on Exchange Online itself.
function Get-TenantWideGrant {
    $assigned = (Invoke-MgGraphRequest -Method GET -Uri "v1.0/servicePrincipals/$ServicePrincipalId/appRoleAssignments" -OutputType PSObject).value
    foreach ($resourceAppId in $GraphAppId, $ExchangeAppId) {
        $resource = Invoke-MgGraphRequest -Method GET -OutputType PSObject -Uri "v1.0/servicePrincipals(appId='$resourceAppId')?`$select=id,appRoles"
        foreach ($grant in @($assigned | Where-Object { $_.resourceId -eq $resource.id })) {
            $permission = $resource.appRoles | Where-Object { $_.id -eq $grant.appRoleId } | ForEach-Object { $_.value }
            if ($permission -match '^(Mail\.|full_access_as_app$|SMTP\.SendAsApp$)') {
                [pscustomobject]@{ Id = $grant.id; Permission = $permission }
            }
        }
    }
}

function Test-RoleIsEstablished {
    $assignment = Get-ManagementRoleAssignment -Identity "$Name Mail.Send" -ErrorAction SilentlyContinue
    return $null -ne $assignment -and $assignment.WhenCreatedUTC -lt [datetime]::UtcNow.AddHours(-$CacheHours)
}

function Remove-TenantWideGrant {
    $context = if (Get-Command Get-MgContext -ErrorAction SilentlyContinue) { Get-MgContext } else { $null }
    if ($null -eq $context) {
        Write-Warning ('The script could not check whether consent in Entra ID lets the application send from every mailbox. ' +
            "First run Connect-MgGraph -Scopes Application.Read.All (module Microsoft.Graph.Authentication), or check with: " +
            "az rest --url https://graph.microsoft.com/v1.0/servicePrincipals/$ServicePrincipalId/appRoleAssignments")
        if ($RemoveTenantWideGrant) { $Failures.Add('The tenant-wide grant was not removed, because you are not connected to Graph.') }
        return
    }
    $grants = @(Get-TenantWideGrant)
    if ($grants.Count -eq 0) {
        Write-Step 'the application has no tenant-wide grant'
        return
    }
    $named = ($grants.Permission | Sort-Object -Unique) -join ', '
    if (-not $RemoveTenantWideGrant) {
        $Failures.Add("The application has $named for the whole tenant, so the scope limits nothing. Run this again with -RemoveTenantWideGrant two hours after the role was assigned.")
        return
    }
    if ($Failures.Count -gt 0) {
        $Failures.Add("$named for the whole tenant was not removed, because the tests above failed.")
        return
    }
    if (-not $Force -and -not (Test-RoleIsEstablished)) {
        $Failures.Add("$named for the whole tenant was not removed: the role is less than $CacheHours hours old, and Exchange would reject emails until it applies the role. Run this again later, or with -Force.")
        return
    }
    foreach ($grant in $grants) {
        if ($PSCmdlet.ShouldProcess($grant.Permission, 'Remove the tenant-wide grant')) {
            $null = Invoke-MgGraphRequest -Method DELETE -Uri "v1.0/servicePrincipals/$ServicePrincipalId/appRoleAssignments/$($grant.Id)"
            Write-Step "removed $($grant.Permission) for the whole tenant"
        }
    }
}

Assert-Connected
$senders = @($Mailbox | ForEach-Object { Resolve-SenderMailbox $_ })
$outside = Resolve-SenderMailbox $OutsideMailbox
if (@($senders.PrimarySmtpAddress) -contains $outside.PrimarySmtpAddress) {
    throw "-OutsideMailbox must be a mailbox that the relay is not allowed to send from; $OutsideMailbox is one of -Mailbox."
}

$group = Set-SenderGroup $senders
Set-ServicePrincipalPointer
if ($null -ne $group) { Set-SenderScope $group }
foreach ($permission in $Permissions) { Set-RoleInScope $permission }

if ($WhatIfPreference) {
    Write-Host 'Nothing was changed.'
    exit 0
}

$results = foreach ($permission in $Permissions) {
    foreach ($sender in $senders) { Test-Mailbox $sender.PrimarySmtpAddress $permission $true }
    Test-Mailbox $outside.PrimarySmtpAddress $permission $false
}
$results | Format-Table -AutoSize | Out-Host
Remove-TenantWideGrant

if ($Failures.Count -gt 0) {
    foreach ($failure in $Failures) { Write-Host "   ! $failure" }
    exit 1
}
Write-Host 'The relay is allowed to send from these mailboxes and from no others. Exchange applies a change within 30 minutes to 2 hours.'
