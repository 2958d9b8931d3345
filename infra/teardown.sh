#!/usr/bin/env bash
# Removes what deploy.sh created, and says what Azure and Entra still keep.
set -euo pipefail

INFRA=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=infra/scripts/say.sh
source "$INFRA/scripts/say.sh"

readonly MAIN_DEPLOYMENT=graph-mail-relay REGISTRATION_DEPLOYMENT=graph-mail-relay-registration
readonly DELETED_ITEMS=https://graph.microsoft.com/v1.0/directory/deletedItems

usage() {
  cat <<'HELP'
Usage: infra/teardown.sh --resource-group NAME [options]

Removes the relay: everything infra/deploy.sh created in the resource group, and the group itself if deploy.sh
created it. Waiting and held emails are lost.

  -g, --resource-group NAME
      --subscription ID   instead of the current subscription of az
      --registration      remove the app registration too
      --client-id GUID    which registration, if the resource group no longer has the record
      --purge             also permanently remove what Azure and Entra keep for recovery: the vault (90 days)
                          and the app registration (30 days). Their names can then be used again
      --yes               do not ask for confirmation
      --what-if           show what would be removed, and change nothing
  -h, --help

Exit status: 0 done, 1 stopped, 2 wrong usage, 3 rights missing.
HELP
}

RESOURCE_GROUP='' GIVEN_SUBSCRIPTION='' REGISTRATION=no CLIENT_ID='' PURGE=no YES=no WHAT_IF=no

while [ $# -gt 0 ]; do
  case $1 in
    -g | --resource-group | --subscription | --client-id)
      [ -n "${2:-}" ] || wrong_usage "$1 expects a value."
      case $1 in
        --subscription) GIVEN_SUBSCRIPTION=$2 ;;
        --client-id) CLIENT_ID=$2 ;;
        *) RESOURCE_GROUP=$2 ;;
      esac
      shift
      ;;
    --registration) REGISTRATION=yes ;;
    --purge) PURGE=yes ;;
    --yes) YES=yes ;;
    --what-if) WHAT_IF=yes ;;
    -h | --help) usage && exit 0 ;;
    *) wrong_usage "'$1' is not an option." ;;
  esac
  shift
done
[[ $RESOURCE_GROUP =~ ^[A-Za-z0-9._()-]{1,90}$ ]] ||
  wrong_usage "--resource-group expects the name of the resource group, not '$RESOURCE_GROUP'."
[[ -z $CLIENT_ID || $CLIENT_ID =~ ^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$ ]] ||
  wrong_usage "--client-id expects a GUID, not '$CLIENT_ID'."

# shellcheck source=infra/scripts/az-call.sh
source "$INFRA/scripts/az-call.sh"
# shellcheck source=infra/scripts/who-can.sh
source "$INFRA/scripts/who-can.sh"

APP_OBJECT_ID='' VAULTS='' OURS=() GROUP=absent

check_sign_in() {
  command -v az >/dev/null || stop "$STOPPED" 'az, the Azure CLI, is not installed.' 'Install it: https://aka.ms/installazurecli'
  local choice=()
  [ -z "$GIVEN_SUBSCRIPTION" ] || choice=(--subscription "$GIVEN_SUBSCRIPTION")
  ask account show ${choice[@]+"${choice[@]}"} --query '[id, user.name]' --output tsv ||
    stop "$STOPPED" 'you are not signed in, or you have no access to the subscription.' "az reported: $FAILURE" \
      'Sign in: az login --tenant <tenant>. Select a subscription: az account set --subscription <id>'
  SUBSCRIPTION_ID=$(line_of_answer 1)
  # shellcheck disable=SC2034 # read by who_can
  SIGNED_IN_AS=$(line_of_answer 2)
  SUBSCRIPTION=(--subscription "$SUBSCRIPTION_ID")
}

find_registration() {
  if [ -z "$CLIENT_ID" ] && [ "$GROUP" != absent ]; then
    if ask deployment group show --resource-group "$RESOURCE_GROUP" --name "$REGISTRATION_DEPLOYMENT" "${SUBSCRIPTION[@]}" \
      --query "properties.outputs.clientId.value || '-'" --output tsv; then
      [ "$ANSWER" = - ] || CLIENT_ID=$ANSWER
    else
      is_absent || failed 'find the app registration'
    fi
  fi
  if [ -z "$CLIENT_ID" ]; then
    warn 'the resource group has no record of the app registration. Name it with --client-id.'
    return
  fi
  if ask ad app show --id "$CLIENT_ID" --query id --output tsv; then
    APP_OBJECT_ID=$ANSWER
  else
    is_absent || failed 'read the app registration'
    # Removed by a run before this one; what Entra keeps of it can still be purged.
    must 'list deleted app registrations' rest --method get \
      --url "$DELETED_ITEMS/microsoft.graph.application" --url-parameters "\$filter=appId eq '$CLIENT_ID'" \
      --query "value[0].id || '-'" --output tsv
    DELETED_APP=${ANSWER#-}
  fi
}
DELETED_APP=''

# What Azure adds by itself to an Application Insights or a private endpoint.
is_companion() {
  matches "$1" '/smartDetectorAlertRules/|/actionGroups/Application Insights Smart Detection$|/networkInterfaces/'
}

# GROUP: absent, ours (made by deploy.sh), or shared. OURS: the resources of the relay in it.
find_resources() {
  must 'read the resource group' group exists --name "$RESOURCE_GROUP" "${SUBSCRIPTION[@]}" --output tsv
  if [ "$ANSWER" != true ]; then
    say "the resource group $RESOURCE_GROUP does not exist"
    return
  fi
  must 'read the resource group' group show --name "$RESOURCE_GROUP" "${SUBSCRIPTION[@]}" \
    --query "tags.graphMailRelayGroup || '-'" --output tsv
  GROUP=shared
  [ "$ANSWER" != made-by-deploy ] || GROUP=ours
  local deployed='' id
  if ask deployment group show --resource-group "$RESOURCE_GROUP" --name "$MAIN_DEPLOYMENT" "${SUBSCRIPTION[@]}" \
    --query 'properties.outputResources[].id' --output tsv; then
    deployed=$ANSWER
  else
    is_absent || failed 'read what was deployed'
  fi
  must 'list the resources' resource list --resource-group "$RESOURCE_GROUP" "${SUBSCRIPTION[@]}" --query '[].id' --output tsv
  while IFS= read -r id; do
    [ -n "$id" ] || continue
    # Names in Azure ignore case, and its answers do not always agree on it.
    if has_line "$deployed" "$id"; then
      OURS+=("$id")
    elif [ "$GROUP" = ours ] && ! is_companion "$id"; then
      warn "infra/deploy.sh did not create $id, so the resource group stays."
      GROUP=shared
    fi
  done < <(printf '%s\n' "$ANSWER")
}

find_vaults() {
  local id
  for id in ${OURS[@]+"${OURS[@]}"}; do
    case $id in */Microsoft.KeyVault/vaults/* | */microsoft.keyvault/vaults/*) VAULTS="$VAULTS ${id##*/}" ;; esac
  done
  # Those that an earlier run has deleted.
  if ! ask keyvault list-deleted "${SUBSCRIPTION[@]}" --resource-type vault \
    --query "[?contains(properties.vaultId, '/resourceGroups/$RESOURCE_GROUP/')].name" --output tsv; then
    lacks_rights || failed 'list deleted vaults'
    warn 'you are not allowed to list deleted vaults, so vaults of earlier runs are not named here.'
    return 0
  fi
  VAULTS="$VAULTS $(printf '%s' "$ANSWER" | tr '\n' ' ')"
}

tell_plan() {
  local id
  case $GROUP in
    ours) say "to be removed: the resource group $RESOURCE_GROUP with" ;;
    shared) say "to be removed from the resource group $RESOURCE_GROUP, which stays:" ;;
  esac
  for id in ${OURS[@]+"${OURS[@]}"}; do say "  ${id#*/providers/}"; done
  [ -z "$APP_OBJECT_ID" ] || say "to be removed: the app registration with client id $CLIENT_ID"
  [ "$PURGE" = no ] || say 'to be removed permanently: what Azure and Entra keep for recovery'
}

confirm() {
  [ "$YES" = no ] || return 0
  local answer=''
  printf '\nWaiting and held emails will be lost. Type the name of the resource group to continue: '
  read -r answer || true
  [ "$answer" = "$RESOURCE_GROUP" ] || stop "$STOPPED" 'nothing was removed.' 'To run it without a terminal, add --yes.'
}

remove_registration() {
  step registration
  # First, while the resource group still knows which one it is.
  must 'remove the app registration' ad app delete --id "$CLIENT_ID"
  DELETED_APP=$APP_OBJECT_ID
  say "removed the app registration with client id $CLIENT_ID"
}

remove_resources() {
  step resources
  if [ "$GROUP" = ours ]; then
    must "remove the resource group $RESOURCE_GROUP" group delete --name "$RESOURCE_GROUP" "${SUBSCRIPTION[@]}" --yes --output none
    say "removed the resource group $RESOURCE_GROUP"
  elif [ ${#OURS[@]} -gt 0 ]; then
    must 'remove the resources' resource delete --ids "${OURS[@]}" --output none
    say "removed ${#OURS[@]} resources from $RESOURCE_GROUP"
  fi
}

purge_or_name_kept() {
  step kept-for-recovery
  local vault
  for vault in $VAULTS; do
    if [ "$PURGE" = yes ]; then
      must "purge the vault $vault" keyvault purge --name "$vault" "${SUBSCRIPTION[@]}" --output none
      say "purged the vault $vault"
    else
      say "Azure keeps the vault $vault, and its name, for 90 days."
      say "  restore with its secrets:  az keyvault recover --name $vault"
      say "  delete permanently:        az keyvault purge --name $vault"
    fi
  done
  [ -n "$DELETED_APP" ] || return 0
  if [ "$PURGE" = yes ]; then
    must 'purge the app registration' rest --method delete --url "$DELETED_ITEMS/$DELETED_APP"
    say 'purged the app registration'
  else
    say "Entra keeps the app registration, and its unique name, for 30 days."
    say "  restore:             az rest --method post --url $DELETED_ITEMS/$DELETED_APP/restore"
    say "  delete permanently:  az rest --method delete --url $DELETED_ITEMS/$DELETED_APP"
  fi
}

check_sign_in
find_resources
[ "$REGISTRATION" = no ] || find_registration
find_vaults
tell_plan
if [ "$WHAT_IF" = yes ]; then
  say 'nothing was changed'
  exit 0
fi
[[ $GROUP = absent && -z $APP_OBJECT_ID && $PURGE = no ]] || confirm
[ -z "$APP_OBJECT_ID" ] || remove_registration
remove_resources
purge_or_name_kept
step 'done'
say 'The group, scope and role assignments in Exchange stay. An Exchange administrator removes them: docs/operations.md, "Remove the relay".'
