#!/usr/bin/env bash
# From an empty subscription to the first test email. Every step checks what exists and does what is missing,
# so the same command can be run again at any time: it continues where it stopped.
set -euo pipefail
# Where the caller's shell exports all it sets, nothing set here is meant: the function key is among it.
set +a

# With CDPATH, cd goes elsewhere and prints where.
unset CDPATH
INFRA=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$INFRA")
# shellcheck source=infra/scripts/say.sh
source "$INFRA/scripts/say.sh"

readonly ALL_STEPS='registration consent infrastructure credential code smoke-test rotation doctor test-mail'
# Of the default relay; those of another have its name at the end (infra/scripts/relay.sh).
MAIN_DEPLOYMENT=graph-mail-relay REGISTRATION_DEPLOYMENT=graph-mail-relay-registration
TRACE_PERMISSION=ExchangeMessageTrace.Read.All CONSENT_DEPLOYMENT=graph-mail-relay-consent PACKAGE_TAG=graphMailRelayPackage
# The first that deploys to the Flex Consumption plan.
readonly OLDEST_AZ=2.61
# The first that knows the Microsoft Graph extension as infra/bicepconfig.json names it.
readonly OLDEST_BICEP=0.36.1

usage() {
  cat <<'HELP'
Usage: infra/deploy.sh --resource-group NAME --sender ADDRESS [options] [STEP...]

Deploys the relay: app registration, infrastructure, credential, code, smoke test, doctor, test email.
Run it again at any time with the same options: it keeps what exists and creates what is missing.

  -g, --resource-group NAME  created if it does not exist
      --sender ADDRESS       the default sender: a mailbox of the tenant, shared or licensed
                             ("Contoso <noreply@contoso.com>" gives it a name)
      --location REGION      region of a new relay, for example westeurope
      --test-to ADDRESS      send a test email to this address at the end
      --subscription ID      instead of the current subscription of az
      --name NAME            which relay: part of all resource names (the relay that is there, or mail-relay)
      --set NAME=VALUE       a setting of the relay (docs/settings.md); can be repeated
      --alert-to ADDRESS     receives alerts and warnings of expiring secrets; can be repeated
      --parameters FILE      more parameters of infra/main.bicep (JSON or .bicepparam)
      --registration NAME    unique name of the app registration (graph-mail-relay)
      --client-id GUID       use this existing app registration (default: the one that the relay runs with)
      --consent              grant the permissions for every mailbox of the tenant. Without it, an Exchange
                             administrator allows only the sender mailboxes (recommended)
      --also-grant NAME      a permission beside Mail.Send: Mail.Read, to look up an email whose outcome is
                             unknown; or Mail.ReadWrite, to send drafts and large files. Can be repeated with
                             ExchangeMessageTrace.Read.All, to ask for the delivery status of an email
                             (docs/delivery.md). Exchange cannot limit it to mailboxes, so the step consent
                             grants it for the whole organization, and nothing else without --consent
      --credential KIND      how the relay proves which application it is (docs/credentials.md): client-secret,
                             certificate, managed-identity or federated (default: what the relay uses, or
                             client-secret). A relay that runs keeps its credential until the new one is proved
      --exchange-allows      with --credential managed-identity: the Exchange administrator allowed the managed
                             identity to send at least two hours ago
      --secret-days N        how long a new client secret is valid (180)
      --renew-secret         create a new client secret or certificate even if the old one is valid
      --rotate-secret DAYS   the relay renews its client secret itself, every 14 to 365 days; off ends it
      --vault-events         the vault reports what expires by Event Grid, beside the daily check
      --warning-webhook FILE a file with the address of a webhook that also receives the warnings; - reads it from
                             the standard input, and an empty file removes it
      --package FILE         deploy this package instead of building one
      --reset                reset alert recipients and options of the last deployment that are not given now.
                             Without it, the script stops and names them
      --redeploy             deploy the code even if the same package is deployed
      --what-if              show what would be done, and change nothing
  -h, --help

STEP is one or more of: registration consent infrastructure credential code smoke-test rotation doctor test-mail.
secret is another name of the step credential. If no STEP is given, all steps run; consent runs only with --consent,
rotation only with --rotate-secret.

Exit status: 0 done, 1 stopped, 2 wrong usage, 3 rights missing (the message says who can help), 4 all steps are done,
and a check of the doctor failed, or the doctor did not respond.
HELP
}

RESOURCE_GROUP='' SENDER='' LOCATION='' TEST_TO='' GIVEN_SUBSCRIPTION='' NAME='' PARAMETER_FILE=''
REGISTRATION=graph-mail-relay REGISTRATION_GIVEN=no GIVEN_CLIENT_ID='' CONSENT=no SECRET_DAYS=180 RENEW_SECRET=no
GIVEN_CREDENTIAL='' CREDENTIAL=client-secret EXCHANGE_ALLOWS=no ROTATE='' VAULT_EVENTS=no WEBHOOK_FILE=''
PACKAGE='' REDEPLOY=no RESET=no WHAT_IF=no STEPS='' SETTINGS=() ALERT_TO=() PERMISSIONS=(Mail.Send) ALSO_GRANT='' GRANT_TRACE=no

# read_value OPTION VALUE
read_value() {
  expect_value "$1" "$2"
  case $1 in
    -g | --resource-group) RESOURCE_GROUP=$2 ;;
    --sender) SENDER=$2 ;;
    --location) LOCATION=$2 ;;
    --test-to) TEST_TO=$2 ;;
    --subscription) GIVEN_SUBSCRIPTION=$2 ;;
    --name) NAME=$2 ;;
    --set) SETTINGS+=("$2") ;;
    --alert-to) ALERT_TO+=("$2") ;;
    --parameters) PARAMETER_FILE=$2 ;;
    --registration) REGISTRATION=$2 REGISTRATION_GIVEN=yes ;;
    --also-grant)
      if [ "$2" = "$TRACE_PERMISSION" ]; then GRANT_TRACE=yes; else ALSO_GRANT=$2 PERMISSIONS=(Mail.Send "$2"); fi
      ;;
    --client-id) GIVEN_CLIENT_ID=$2 ;;
    --credential) GIVEN_CREDENTIAL=$2 ;;
    --secret-days) SECRET_DAYS=$2 ;;
    --rotate-secret) ROTATE=$2 ;;
    --warning-webhook) WEBHOOK_FILE=$2 ;;
    --package) PACKAGE=$2 ;;
  esac
}

while [ $# -gt 0 ]; do
  case $1 in
    -g | --resource-group | --sender | --location | --test-to | --subscription | --name | --set | --alert-to | \
      --parameters | --registration | --client-id | --also-grant | --credential | --secret-days | \
      --rotate-secret | --warning-webhook | --package)
      read_value "$1" "${2:-}"
      shift
      ;;
    --consent) CONSENT=yes ;;
    --renew-secret) RENEW_SECRET=yes ;;
    --exchange-allows) EXCHANGE_ALLOWS=yes ;;
    --vault-events) VAULT_EVENTS=yes ;;
    --redeploy) REDEPLOY=yes ;;
    --reset) RESET=yes ;;
    --what-if) WHAT_IF=yes ;;
    -h | --help) usage && exit 0 ;;
    -*) wrong_usage "'$1' is not an option." ;;
    # The name of this step while a secret was all that it knew.
    secret) STEPS="$STEPS credential" ;;
    *)
      case " $ALL_STEPS " in
        *" $1 "*) STEPS="$STEPS $1" ;;
        *) wrong_usage "'$1' is not a step; the steps are: $ALL_STEPS." ;;
      esac
      ;;
  esac
  shift
done

wants() {
  case " $STEPS " in *" $1 "*) return 0 ;; esac
  [ -z "$STEPS" ] || return 1
  case $1 in
    consent) [ "$CONSENT" = yes ] || [ "$GRANT_TRACE" = yes ] ;;
    rotation) [ -n "$ROTATE" ] ;;
  esac
}

readonly GUID='^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
readonly ADDRESS='^[^[:space:]"<>,;@]+@[A-Za-z0-9.-]+$'
readonly NAMED_ADDRESS='^[^"<>,;@]*<[^[:space:]"<>,;@]+@[A-Za-z0-9.-]+>$'

check_name() {
  [[ -z $NAME || $NAME =~ ^[a-z]([a-z0-9-]{0,18}[a-z0-9])$ ]] ||
    wrong_usage "--name expects 2 to 20 lowercase letters, digits and dashes, with a letter first and no dash last, not '$NAME'."
  # Deployments of the default relay have these names.
  case $NAME in registration | consent) wrong_usage "--name cannot be '$NAME'; choose another name." ;; esac
}

# check_settings: names by the type that main.bicep takes; values by the parsers of the relay, where Node.js can run them. The
# relay itself refuses a wrong value too, but only once it has been deployed.
check_settings() {
  [ ${#SETTINGS[@]} -gt 0 ] || return 0
  local setting status=0 known
  known=$(sed -n -E "/^var (relay|secret)SettingNames/,/^]/s/^  '(.*)'$/\1/p" "$INFRA/modules/options.bicep")
  for setting in "${SETTINGS[@]}"; do
    # Without the value, which can be a secret.
    [[ $setting =~ ^[A-Z][A-Z0-9_]*= ]] || wrong_usage "--set expects NAME=VALUE, with a name in capital letters, not '${setting%%=*}'."
    case $setting in
      # These need more than the setting.
      GRAPH_CREDENTIAL=*) wrong_usage '--set GRAPH_CREDENTIAL: use --credential, which also sets up and proves the credential.' ;;
      SECRET_ROTATION_DAYS=*) wrong_usage '--set SECRET_ROTATION_DAYS: use --rotate-secret, which also assigns the rights.' ;;
      # A command line can be read by others on this machine.
      SECRET_WARNING_WEBHOOK=*) wrong_usage '--set SECRET_WARNING_WEBHOOK: the address is a secret; use --warning-webhook FILE.' ;;
      HTTPS_PROXY=@Microsoft.KeyVault\(* | HTTP_PROXY=@Microsoft.KeyVault\(* | ALL_PROXY=@Microsoft.KeyVault\(*) ;;
      HTTPS_PROXY=*@* | HTTP_PROXY=*@* | ALL_PROXY=*@*)
        wrong_usage "--set ${setting%%=*}: the address has a password in it. Put it into the vault, and set @Microsoft.KeyVault(SecretUri=...) (docs/proxies.md)."
        ;;
      GRAPH_CONNECTION_*)
        wrong_usage "--set ${setting%%=*}: set it with az functionapp config appsettings set (docs/connections.md); a deployment keeps it."
        ;;
    esac
    [[ $'\n'$known$'\n' == *$'\n'"${setting%%=*}"$'\n'* ]] ||
      wrong_usage "--set ${setting%%=*}: no such setting. docs/settings.md lists them."
  done
  setting=$(PATH="$ROOT/node_modules/.bin:$PATH" node "$ROOT/scripts/check-settings.ts" "${SETTINGS[@]}" 2>&1) || status=$?
  [ "$status" -ne "$WRONG_USAGE" ] || wrong_usage "$setting"
}

check_credential_options() {
  case $GIVEN_CREDENTIAL in
    '' | client-secret | certificate | managed-identity | federated) ;;
    *) wrong_usage "--credential expects client-secret, certificate, managed-identity or federated, not '$GIVEN_CREDENTIAL'." ;;
  esac
  [ "$EXCHANGE_ALLOWS" = no ] || [ "$GIVEN_CREDENTIAL" = managed-identity ] ||
    wrong_usage '--exchange-allows belongs to --credential managed-identity.'
  [[ -z $ROTATE || $ROTATE = off || $ROTATE =~ ^(1[4-9]|[2-9][0-9]|[12][0-9][0-9]|3[0-5][0-9]|36[0-5])$ ]] ||
    wrong_usage "--rotate-secret expects a whole number from 14 to 365, or off, not '$ROTATE'."
  case " $STEPS " in
    *' rotation '*) [ -n "$ROTATE" ] || wrong_usage 'the step rotation expects --rotate-secret DAYS, or --rotate-secret off.' ;;
  esac
  case ${GIVEN_CREDENTIAL:-client-secret}:${ROTATE:-off} in
    client-secret:* | *:off) ;;
    *) wrong_usage "--rotate-secret renews a client secret, and --credential $GIVEN_CREDENTIAL has none." ;;
  esac
  case $RENEW_SECRET:$GIVEN_CREDENTIAL in
    yes:managed-identity | yes:federated) wrong_usage "--renew-secret: the credential $GIVEN_CREDENTIAL has nothing to renew." ;;
  esac
  [ "$RENEW_SECRET" = no ] || wants credential || wrong_usage '--renew-secret belongs to the step credential, which is not among the steps.'
  [ -z "$WEBHOOK_FILE" ] || wants infrastructure || wrong_usage '--warning-webhook belongs to the step infrastructure, which is not among the steps.'
  [ -z "$WEBHOOK_FILE" ] || [ "$WEBHOOK_FILE" = - ] || [ -f "$WEBHOOK_FILE" ] ||
    wrong_usage "--warning-webhook: file '$WEBHOOK_FILE' does not exist."
}

# read_webhook: WEBHOOK is the address of the file, or empty to remove it. It is a secret: no message shows it, nor a trace of this shell.
read_webhook() {
  [ -n "$WEBHOOK_FILE" ] || return 0
  local traced=$-
  { set +x; } 2>/dev/null
  WEBHOOK=$(if [ "$WEBHOOK_FILE" = - ]; then cat; else cat "$WEBHOOK_FILE"; fi)
  WEBHOOK=${WEBHOOK#"${WEBHOOK%%[![:space:]]*}"} WEBHOOK=${WEBHOOK%"${WEBHOOK##*[![:space:]]}"}
  [[ -z $WEBHOOK || $WEBHOOK =~ ^https://[^[:space:]\\\"]+$ ]] ||
    wrong_usage '--warning-webhook expects a file with one address that begins with https://, or an empty file.'
  case $traced in *x*) set -x ;; esac
}

check_options() {
  [ -n "$RESOURCE_GROUP" ] || wrong_usage '--resource-group is missing.'
  is_group_name "$RESOURCE_GROUP" ||
    wrong_usage "--resource-group expects letters, digits and ._()-, with no full stop at the end, not '$RESOURCE_GROUP'."
  if wants infrastructure && [ -z "$SENDER" ] && [ -z "$PARAMETER_FILE" ]; then
    wrong_usage '--sender is missing: give the address of the sender mailbox, such as noreply@contoso.com.'
  fi
  if [ -n "$SENDER" ] && ! [[ $SENDER =~ $ADDRESS || $SENDER =~ $NAMED_ADDRESS ]]; then
    wrong_usage "--sender expects one address, as noreply@contoso.com or Contoso <noreply@contoso.com>, not '$SENDER'."
  fi
  local address
  for address in ${ALERT_TO[@]+"${ALERT_TO[@]}"} ${TEST_TO:+"$TEST_TO"}; do
    [[ $address =~ $ADDRESS ]] || wrong_usage "'$address' is not an address; expected an address such as it@contoso.com."
  done
  case $ALSO_GRANT in
    '' | Mail.Read | Mail.ReadWrite) ;;
    *) wrong_usage "--also-grant expects Mail.Read or Mail.ReadWrite, and $TRACE_PERMISSION beside it, not '$ALSO_GRANT'." ;;
  esac
  check_credential_options
  [[ -z $GIVEN_CLIENT_ID || $GIVEN_CLIENT_ID =~ $GUID ]] || wrong_usage "--client-id expects a GUID, not '$GIVEN_CLIENT_ID'."
  check_name
  [[ $REGISTRATION =~ ^[A-Za-z0-9._-]{3,100}$ ]] ||
    wrong_usage "--registration expects 3 to 100 letters, digits, dots and dashes, not '$REGISTRATION'."
  [[ $SECRET_DAYS =~ ^([1-9]|[1-9][0-9]|[1-6][0-9][0-9]|7[0-2][0-9]|730)$ ]] ||
    wrong_usage "--secret-days expects a whole number from 1 to 730, not '$SECRET_DAYS'."
  [ -z "$PARAMETER_FILE" ] || [ -f "$PARAMETER_FILE" ] || wrong_usage "--parameters: file '$PARAMETER_FILE' does not exist."
  [ -z "$PACKAGE" ] || [ -f "$PACKAGE" ] || wrong_usage "--package: file '$PACKAGE' does not exist."
  check_settings
  read_webhook
}

unset WEBHOOK
check_options

# shellcheck source=infra/scripts/az-call.sh
source "$INFRA/scripts/az-call.sh"
# shellcheck source=infra/scripts/who-can.sh
source "$INFRA/scripts/who-can.sh"
# shellcheck source=infra/scripts/deployment.sh
source "$INFRA/scripts/deployment.sh"
# shellcheck source=infra/scripts/registration.sh
source "$INFRA/scripts/registration.sh"
# shellcheck source=infra/scripts/relay.sh
source "$INFRA/scripts/relay.sh"
# shellcheck source=infra/scripts/infrastructure.sh
source "$INFRA/scripts/infrastructure.sh"
# shellcheck source=infra/scripts/credential.sh
source "$INFRA/scripts/credential.sh"
# shellcheck source=infra/scripts/rotation.sh
source "$INFRA/scripts/rotation.sh"
# shellcheck source=infra/scripts/code.sh
source "$INFRA/scripts/code.sh"
# shellcheck source=infra/scripts/test-mail.sh
source "$INFRA/scripts/test-mail.sh"
# shellcheck source=infra/scripts/doctor.sh
source "$INFRA/scripts/doctor.sh"

# older_than A B: version A is older than version B
older_than() { [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -t . -k 1,1n -k 2,2n -k 3,3n | head -n 1)" = "$1" ]; }

check_tools() {
  command -v az >/dev/null || stop "$STOPPED" 'az, the Azure CLI, is not installed.' \
    'Install it (https://aka.ms/installazurecli), or use Cloud Shell (https://shell.azure.com).'
  command -v curl >/dev/null || stop "$STOPPED" 'curl is not installed.'
  must 'read the version of az' version --query '"azure-cli"' --output tsv
  ! older_than "$ANSWER" "$OLDEST_AZ" || stop "$STOPPED" "az $ANSWER is too old for the Flex Consumption plan." \
    "Install version $OLDEST_AZ or newer: az upgrade"
  ! { wants registration || wants consent || wants infrastructure; } || check_bicep
}

check_bicep() {
  if ! ask bicep version; then
    is_absent || failed 'read the version of Bicep'
    # az installs the newest one for the first deployment.
    return 0
  fi
  [[ $ANSWER =~ ([0-9]+\.[0-9]+\.[0-9]+) ]] || stop "$STOPPED" 'az did not say which Bicep it has.' "az reported: $ANSWER"
  ! older_than "${BASH_REMATCH[1]}" "$OLDEST_BICEP" ||
    stop "$STOPPED" "Bicep ${BASH_REMATCH[1]} is too old for the Microsoft Graph extension." \
      "Install version $OLDEST_BICEP or newer: az bicep upgrade" \
      'If az uses a Bicep from the PATH, upgrade that one: az config get bicep.use_binary_from_path'
}

check_sign_in() {
  local choice=()
  [ -z "$GIVEN_SUBSCRIPTION" ] || choice=(--subscription "$GIVEN_SUBSCRIPTION")
  ask account show ${choice[@]+"${choice[@]}"} --query '[id, tenantId, user.name]' --output tsv ||
    stop "$STOPPED" 'you are not signed in, or you have no access to the subscription.' "az reported: $FAILURE" \
      'Sign in: az login --tenant <tenant>. Select a subscription: az account set --subscription <id>'
  SUBSCRIPTION_ID=$(line_of_answer 1) TENANT_ID=$(line_of_answer 2) SIGNED_IN_AS=$(line_of_answer 3)
  SUBSCRIPTION=(--subscription "$SUBSCRIPTION_ID")
  [ -z "$GIVEN_SUBSCRIPTION" ] || check_tenant "$TENANT_ID"
  say "signed in as $SIGNED_IN_AS, tenant $TENANT_ID, subscription $SUBSCRIPTION_ID"
}

# In a PowerShell that is signed in already: `pwsh limit-mailboxes.ps1` would be another session, which is not.
exchange_advice() {
  local sender=${SENDER##*<} quote="'"
  sender=${sender%>}
  sender=${sender:+$quote${sender//$quote/$quote$quote}$quote}
  cat <<HELP
Next, an Exchange administrator allows the sender mailboxes, and no others (docs/setup.md, "Limit the mailboxes").
In PowerShell 7, all in the same session, in the folder of the script: infra/scripts of a clone, or where it was downloaded to:
    Connect-ExchangeOnline
    Connect-MgGraph -Scopes Application.Read.All
    ./limit-mailboxes.ps1 -TenantId $TENANT_ID \`
      -ClientId $SENDING_CLIENT_ID \`
      -ServicePrincipalId $SENDING_PRINCIPAL_ID \`
      -Name '$(exchange_name)'${ALSO_GRANT:+ -AlsoGrant $ALSO_GRANT} \`
      -Mailbox ${sender:-<sender>} -OutsideMailbox <any other mailbox>
HELP
}

grant_to_sending_application() {
  find_sending_application
  ! wants consent || ensure_consent
}

closing() {
  step 'done'
  [ "$WHAT_IF" = no ] || { say 'nothing was changed' && return; }
  [ -n "${APP:-}" ] || { say "client id $CLIENT_ID" && return; }
  say "endpoint      $APP_URL/api/mail"
  say "function key  az functionapp keys list $(in_this_group) --name $APP --query functionKeys.default --output tsv"
  say "client id     $CLIENT_ID"
  say "credential    $CREDENTIAL"
  [ "$CONSENT" = yes ] || { printf '\n' && exchange_advice; }
}

APP='' GROUP_EXISTS=no CLIENT_ID='' PRINCIPAL_ID=''
say "Graph Mail Relay -> resource group $RESOURCE_GROUP"
check_tools
check_sign_in
find_cloud
ensure_resource_group
find_relay
find_client_id
choose_credential
! wants infrastructure || check_nothing_is_lost
! wants infrastructure || ensure_providers
# Later steps need to know the registration, also when they run alone.
if wants registration || [ -n "$GIVEN_CLIENT_ID" ]; then
  ensure_registration
else
  find_registration || stop "$STOPPED" 'the app registration does not exist yet.' 'Run the step registration first, or give --client-id.'
fi
check_client_id
# A managed identity is made by the step infrastructure.
[ "$CREDENTIAL" = managed-identity ] || grant_to_sending_application
if wants infrastructure; then
  ensure_infrastructure
elif wants credential || wants code || wants smoke-test || wants rotation || wants doctor || wants test-mail; then
  [ "$WHAT_IF" = yes ] || find_infrastructure ||
    stop "$STOPPED" "$RESOURCE_GROUP has no relay '$NAME' with $MISSING." 'Run the step infrastructure first.'
fi
if [ "$CREDENTIAL" = managed-identity ] && [ -n "$APP$FOUND_APP" ]; then grant_to_sending_application; fi
! wants credential || ensure_credential
! wants code || ensure_code
! wants smoke-test || smoke_test
! wants credential || move_credential
! wants rotation || set_rotation
! wants doctor || ask_doctor
! wants test-mail || send_test_mail
closing
case $DOCTOR_FAILED in
  no) exit 0 ;;
  yes) warn 'a check of the doctor failed: see above, and docs/doctor.md. Nothing was undone.' ;;
  *) warn 'the doctor did not say whether all is well: see above. Nothing was undone. To ask again, run the step doctor alone.' ;;
esac
exit "$DOCTOR_FOUND"
