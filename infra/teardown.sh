#!/usr/bin/env bash
# Removes what deploy.sh created, and says what Azure and Entra still keep.
set -euo pipefail

# With CDPATH, cd goes elsewhere and prints where.
unset CDPATH
INFRA=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=infra/scripts/say.sh
source "$INFRA/scripts/say.sh"

# Of the default relay; that of another has its name too, as deploy.sh names it.
REGISTRATION_DEPLOYMENT=graph-mail-relay-registration

usage() {
  cat <<'HELP'
Usage: infra/teardown.sh --resource-group NAME [options]

Removes the relay: everything infra/deploy.sh created in the resource group, also by a deployment that failed, and
the group itself if deploy.sh created it and nothing else is in it. Waiting and held emails are lost.

  -g, --resource-group NAME
      --name NAME         which relay, if the resource group has several: --name of deploy.sh
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

RESOURCE_GROUP='' RELAY='' GIVEN_SUBSCRIPTION='' REGISTRATION=no CLIENT_ID='' PURGE=no YES=no WHAT_IF=no

while [ $# -gt 0 ]; do
  case $1 in
    -g | --resource-group | --name | --subscription | --client-id)
      expect_value "$1" "${2:-}"
      case $1 in
        --name) RELAY=$2 ;;
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
is_group_name "$RESOURCE_GROUP" ||
  wrong_usage "--resource-group expects the name of the resource group, not '$RESOURCE_GROUP'."
[[ -z $RELAY || $RELAY =~ ^[A-Za-z0-9][A-Za-z0-9-]{1,19}$ ]] ||
  wrong_usage "--name expects 2 to 20 letters, digits and dashes, not '$RELAY'."
[[ -z $CLIENT_ID || $CLIENT_ID =~ ^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$ ]] ||
  wrong_usage "--client-id expects a GUID, not '$CLIENT_ID'."

# shellcheck source=infra/scripts/az-call.sh
source "$INFRA/scripts/az-call.sh"
# shellcheck source=infra/scripts/who-can.sh
source "$INFRA/scripts/who-can.sh"

# GROUP: absent, ours (made by deploy.sh), or shared. OURS: the resources of the relay in it. COMPANIONS: what Azure added to
# those by itself.
APP_OBJECT_ID='' VAULTS='' OURS=() COMPANIONS=() GROUP=absent
# The parameter `name` of main.bicep, in lower case: what the tag graph-mail-relay of every resource says.
RELAY=$(printf '%s' "$RELAY" | tr '[:upper:]' '[:lower:]')
readonly DEFAULT_RELAY=mail-relay
IS_NAMED=no
[ -z "$RELAY" ] || IS_NAMED=yes

check_sign_in() {
  command -v az >/dev/null || stop "$STOPPED" 'az, the Azure CLI, is not installed.' 'Install it: https://aka.ms/installazurecli'
  local choice=()
  [ -z "$GIVEN_SUBSCRIPTION" ] || choice=(--subscription "$GIVEN_SUBSCRIPTION")
  ask account show ${choice[@]+"${choice[@]}"} --query '[id, user.name, tenantId]' --output tsv ||
    stop "$STOPPED" 'you are not signed in, or you have no access to the subscription.' "az reported: $FAILURE" \
      'Sign in: az login --tenant <tenant>. Select a subscription: az account set --subscription <id>'
  SUBSCRIPTION_ID=$(line_of_answer 1)
  # shellcheck disable=SC2034 # read by who_can
  SIGNED_IN_AS=$(line_of_answer 2)
  SUBSCRIPTION=(--subscription "$SUBSCRIPTION_ID")
  [ -z "$GIVEN_SUBSCRIPTION" ] || check_tenant "$(line_of_answer 3)"
}

OTHER_RELAYS=''
find_registration() {
  if [ -z "$CLIENT_ID" ] && [ -n "$OTHER_RELAYS" ]; then
    stop "$WRONG_USAGE" "the resource group has further relays ($OTHER_RELAYS), which may use the app registration on record. Nothing was removed." \
      'Say which one is to be removed: --client-id <id>. Or omit --registration.'
  fi
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

# The rule for failure anomalies has the name of its component at the end, and stays when that is deleted.
is_companion_of_ours() {
  local id
  matches "$1" '/smartDetectorAlertRules/' || return 1
  for id in ${OURS[@]+"${OURS[@]}"}; do
    case $id in */components/*) ! has_line "${1##* - }" "${id##*/}" || return 0 ;; esac
  done
  return 1
}

# choose_relay TAGS: settles which relay is meant where it was not said, from the tags that are there, one a line.
choose_relay() {
  local names
  [ -z "$RELAY" ] || return 0
  names=$(printf '%s\n' "$1" | tr '[:upper:]' '[:lower:]' | sed '/^-\{0,1\}$/d' | LC_ALL=C sort -u)
  case $names in
    *$'\n'*) stop "$WRONG_USAGE" "the resource group $RESOURCE_GROUP has several relays: $(printf '%s' "$names" | tr '\n' ' ')" 'Say which: --name <name>' ;;
  esac
  RELAY=$names
}

name_registration() {
  case $RELAY in '' | "$DEFAULT_RELAY") ;; *) REGISTRATION_DEPLOYMENT=graph-mail-relay-$RELAY.registration ;; esac
}

# The private DNS zones have fixed names, so relays of one resource group share them: none has the tag of one relay alone.
is_zone() {
  matches "$1" '/privateDnsZones/privatelink\.((blob|queue|table)\.core\.[a-z.]+|vaultcore\.[a-z.]+)$'
}

# Only the networks of this relay are linked to it; where none is, it is in a resource group of deploy.sh's own.
is_zone_of_ours() {
  must 'list the networks of a private DNS zone' network private-dns link vnet list --resource-group "$RESOURCE_GROUP" \
    --zone-name "${1##*/}" "${SUBSCRIPTION[@]}" --query "[].[tags.\"graph-mail-relay\" || '-'][]" --output tsv
  local tag
  while IFS= read -r tag; do
    [ -z "$tag" ] || has_line "$tag" "$RELAY" || return 1
  done < <(printf '%s\n' "$ANSWER")
  [ -n "$ANSWER" ] || [ "$GROUP" = ours ]
}

# What the record of the last deployment names: for relays of before the tag. RECORDED: ids, one a line; RECORD: its state.
find_record() {
  RECORD=absent RECORDED=''
  # Versions of before the tag called every deployment so.
  if ! ask deployment group show --resource-group "$RESOURCE_GROUP" --name graph-mail-relay "${SUBSCRIPTION[@]}" \
    --query "[[properties.provisioningState || '-', properties.outputs.functionAppName.value || '-'], (properties.outputResources || \`[]\`)[].id][]" --output tsv; then
    is_absent || failed 'read what was deployed'
    return 0
  fi
  RECORD=$(line_of_answer 1)
  # That of another relay in the group: func-<name>-<13 characters>.
  if [ -n "$RELAY" ] && [ "$(line_of_answer 2)" != - ] && ! matches "$(line_of_answer 2)" "^func-$RELAY-[a-z0-9]{13}$"; then return 0; fi
  RECORDED=$ANSWER
}

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
  local listed id tag others='' untagged=''
  must 'list the resources' resource list --resource-group "$RESOURCE_GROUP" "${SUBSCRIPTION[@]}" \
    --query "[].[id, tags.\"graph-mail-relay\" || '-']" --output tsv
  listed=$ANSWER
  choose_relay "$(printf '%s\n' "$listed" | sed '\|/privateDnsZones/[^/]*\t|d' | cut -f 2)"
  name_registration
  find_record
  while IFS=$'\t' read -r id tag; do
    [ -n "$id" ] || continue
    if is_zone "$id"; then
      ! is_zone_of_ours "$id" || OURS+=("$id")
      continue
    fi
    # Names in Azure ignore case, and its answers do not always agree on it.
    if has_line "$tag" "$RELAY" || { [ "$tag" = - ] && has_line "$RECORDED" "$id"; }; then OURS+=("$id"); fi
  done < <(printf '%s\n' "$listed")
  while IFS=$'\t' read -r id tag; do
    [ -n "$id" ] || continue
    if has_line "$(printf '%s\n' ${OURS[@]+"${OURS[@]}"})" "$id"; then
      :
    elif is_companion_of_ours "$id"; then
      COMPANIONS+=("$id")
    elif is_zone "$id"; then
      others="$others$id"$'\n'
    elif ! is_companion "$id"; then
      others="$others$id"$'\n'
      [ "$tag" != - ] || untagged="$untagged  ${id#*/providers/}"$'\n'
    fi
  done < <(printf '%s\n' "$listed")
  refuse_to_guess "$untagged"
  OTHER_RELAYS=$(printf '%s\n' "$listed" | sed '\|/privateDnsZones/[^/]*\t|d' | cut -f 2 | tr '[:upper:]' '[:lower:]' | sed "/^-\{0,1\}$/d; /^$RELAY$/d" | LC_ALL=C sort -u | tr '\n' ' ')
  [ ${#OURS[@]} -gt 0 ] || [ -z "$OTHER_RELAYS" ] ||
    warn "the resource group has no relay '$RELAY'; it has: $OTHER_RELAYS"
  [ "$GROUP" = ours ] || return 0
  while IFS= read -r id; do
    [ -n "$id" ] || continue
    warn "infra/deploy.sh did not create $id, so the resource group stays."
    GROUP=shared
  done < <(printf '%s' "$others")
}

# refuse_to_guess UNTAGGED: a failed deployment of before the tag has left no record of what it made.
refuse_to_guess() {
  [ ${#OURS[@]} -eq 0 ] && [ -n "$1" ] || return 0
  case $RECORD in absent | Succeeded) return 0 ;; esac
  stop "$STOPPED" "the last deployment is $RECORD, and Azure does not say what it created. Nothing was removed." \
    "The resource group $RESOURCE_GROUP has:" "${1%$'\n'}" \
    'If all of it belongs to the relay, remove the group:' \
    "  az group delete --name $(shell_word "$RESOURCE_GROUP")$(in_subscription)" \
    'Or run the same infra/deploy.sh command once more: it marks what it creates, and infra/teardown.sh then finds it.'
}

# Those of the relay in OURS, and those that an earlier run has deleted.
find_vaults() {
  local id name vault_id tag compact others=''
  for id in ${OURS[@]+"${OURS[@]}"}; do
    ! matches "$id" '/Microsoft\.KeyVault/vaults/[^/]+$' || VAULTS="$VAULTS ${id##*/}"
  done
  if ! ask keyvault list-deleted "${SUBSCRIPTION[@]}" --resource-type vault \
    --query "[].[name, properties.vaultId, properties.tags.\"graph-mail-relay\" || '-']" --output tsv; then
    lacks_rights || failed 'list deleted vaults'
    warn 'you are not allowed to list deleted vaults, so vaults of earlier runs are not named here.'
    return 0
  fi
  local deleted=''
  while IFS=$'\t' read -r name vault_id tag; do
    ! has_line "$(printf '%s' "$vault_id" | cut -d / -f 5)" "$RESOURCE_GROUP" || deleted="$deleted$name"$'\t'"$tag"$'\n'
  done < <(printf '%s\n' "$ANSWER")
  choose_relay "$(printf '%s' "$deleted" | cut -f 2)"
  # As main.bicep names it: for vaults of before the tag.
  compact=$(printf '%s' "${RELAY:-$DEFAULT_RELAY}" | tr -d - | cut -c 1-7)
  while IFS=$'\t' read -r name tag; do
    [ -n "$name" ] || continue
    if has_line "$tag" "$RELAY" || { [ "$tag" = - ] && matches "$name" "^kv-$compact-[a-z0-9]{13}$"; }; then
      case " $VAULTS " in *" $name "*) ;; *) VAULTS="$VAULTS $name" ;; esac
    else
      others="$others $name"
    fi
  done < <(printf '%s' "$deleted")
  [ -z "$others" ] || say "deleted vaults of this resource group that are not of this relay, and stay as they are:$others"
}

tell_plan() {
  local id
  case $GROUP in
    ours) say "to be removed: the resource group $RESOURCE_GROUP with" ;;
    shared) say "to be removed from the resource group $RESOURCE_GROUP, which stays:" ;;
  esac
  for id in ${OURS[@]+"${OURS[@]}"} ${COMPANIONS[@]+"${COMPANIONS[@]}"}; do say "  ${id#*/providers/}"; done
  [ "$GROUP" != shared ] || [ ${#OURS[@]} -gt 0 ] || say '  nothing: no resource of the relay is there'
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
    [ ${#COMPANIONS[@]} -eq 0 ] || ask resource delete --ids "${COMPANIONS[@]}" --output none ||
      warn "these rules of Azure's own are left: ${COMPANIONS[*]#*/providers/}"
  fi
}

purge_vault() {
  if ! ask keyvault purge --name "$1" "${SUBSCRIPTION[@]}" --output none; then
    if failed_with 'purge ?protection|MethodNotAllowed'; then
      warn "the vault $1 has purge protection: Azure keeps it, and its name, until its 90 days are over."
      return 0
    fi
    may_pass || failed "purge the vault $1"
    must "purge the vault $1" keyvault purge --name "$1" "${SUBSCRIPTION[@]}" --output none
  fi
  say "purged the vault $1"
}

purge_or_name_kept() {
  step kept-for-recovery
  local vault
  for vault in $VAULTS; do
    if [ "$PURGE" = yes ]; then
      purge_vault "$vault"
    else
      say "Azure keeps the vault $vault, and its name, for 90 days."
      say "  restore with its secrets:  az keyvault recover --name $vault$(in_subscription)"
      say "  delete permanently:        az keyvault purge --name $vault$(in_subscription)"
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
find_cloud
find_resources
[ "$REGISTRATION" = no ] || find_registration
find_vaults
tell_plan
if [ "$WHAT_IF" = yes ]; then
  say 'nothing was changed'
  exit 0
fi
if [[ $IS_NAMED = yes && $GROUP = shared && ${#OURS[@]} -eq 0 && -z $APP_OBJECT_ID && -z $VAULTS ]]; then
  stop "$STOPPED" "nothing of a relay '$RELAY' was found in $RESOURCE_GROUP. Nothing was removed." \
    ${OTHER_RELAYS:+"The resource group has: $OTHER_RELAYS"}
fi
[[ $GROUP != ours && ${#OURS[@]} -eq 0 && -z $APP_OBJECT_ID && $PURGE = no ]] || confirm
[ -z "$APP_OBJECT_ID" ] || remove_registration
remove_resources
purge_or_name_kept
step 'done'
say 'The group, scope and role assignments in Exchange stay. An Exchange administrator removes them: docs/operations.md, "Remove the relay".'
