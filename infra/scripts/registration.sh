# shellcheck shell=bash
# The resource group, the app registration, and tenant-wide consent where it is asked for. Sourced by deploy.sh.

# Ids of application permissions of Microsoft Graph, as in infra/modules/graph-permissions.bicep.
permission_id() {
  case $1 in
    Mail.Send) echo b633e1c5-b582-4048-a93e-9f11b44c7e96 ;;
    Mail.Read) echo 810c84a8-4a9e-49e6-bf7d-12d183f40d01 ;;
    Mail.ReadWrite) echo e2a3a72e-5f79-4c64-b1b1-878b674786c9 ;;
  esac
}
# Stands for ids that --what-if cannot know yet.
readonly NOBODY=00000000-0000-0000-0000-000000000000

ensure_resource_group() {
  step resource-group
  must 'read the resource group' group exists --name "$RESOURCE_GROUP" "${SUBSCRIPTION[@]}" --output tsv
  GROUP_EXISTS=$ANSWER
  if [ "$GROUP_EXISTS" = true ]; then
    say "$RESOURCE_GROUP exists"
  elif [ "$WHAT_IF" = yes ]; then
    say "would create the resource group $RESOURCE_GROUP${LOCATION:+ in $LOCATION}"
  else
    [ -n "$LOCATION" ] ||
      stop "$WRONG_USAGE" "the resource group $RESOURCE_GROUP does not exist." \
        'Give a region to create it in, for example: --location westeurope' \
        'Regions with the Flex Consumption plan: az functionapp list-flexconsumption-locations --output table'
    # The tag tells teardown.sh that the whole group may go.
    must "create the resource group $RESOURCE_GROUP" group create --name "$RESOURCE_GROUP" --location "$LOCATION" \
      --tags graphMailRelayGroup=made-by-deploy "${SUBSCRIPTION[@]}" --output none
    GROUP_EXISTS=true
    say "created $RESOURCE_GROUP in $LOCATION"
  fi
}

REGISTRATION_OUTPUTS="[properties.provisioningState || '-', properties.outputs.clientId.value || '-', properties.outputs.servicePrincipalObjectId.value || '-', properties.parameters.uniqueName.value || '-']"

# Takes the ids from ANSWER; fails where there are none.
read_registration() {
  [ "$(line_of_answer 1)" = Succeeded ] || return 1
  CLIENT_ID=$(line_of_answer 2) PRINCIPAL_ID=$(line_of_answer 3)
  [ "$CLIENT_ID" != - ] && [ "$PRINCIPAL_ID" != - ]
}

# What an earlier run, perhaps by somebody else, has registered.
find_registration() {
  [ "$GROUP_EXISTS" = true ] || return 1
  if ! ask deployment group show --resource-group "$RESOURCE_GROUP" --name "$REGISTRATION_DEPLOYMENT" \
    "${SUBSCRIPTION[@]}" --query "$REGISTRATION_OUTPUTS" --output tsv; then
    is_absent || failed 'find an earlier registration'
    return 1
  fi
  read_registration || return 1
  local registered
  registered=$(line_of_answer 4)
  # The record outlives an application that was deleted since.
  if ! ask ad app show --id "$CLIENT_ID" --query appId --output tsv; then
    is_absent || lacks_rights || failed 'read the app registration'
    if is_absent; then
      [ "$registered" = - ] || [ "$REGISTRATION_GIVEN" = yes ] || REGISTRATION=$registered
      return 1
    fi
  fi
  [ "$registered" != - ] || return 0
  [ "$REGISTRATION_GIVEN" = no ] || [ "$registered" = "$REGISTRATION" ] ||
    stop "$STOPPED" "the relay in $RESOURCE_GROUP uses the app registration '$registered', not '$REGISTRATION'." \
      'Omit --registration to keep it, use another resource group for another relay, or give --client-id for an existing registration.'
  REGISTRATION=$registered
}

ensure_registration() {
  step registration
  if [ -n "$GIVEN_CLIENT_ID" ]; then
    use_given_registration
  elif find_registration; then
    # What it asks for matters to consent in the portal alone, so permissions chosen later do not change it.
    say "the app registration exists: client id $CLIENT_ID"
  elif [ "$WHAT_IF" = yes ]; then
    CLIENT_ID=$NOBODY PRINCIPAL_ID=$NOBODY
    say "would register the application '$REGISTRATION' with ${PERMISSIONS[*]} (infra/registration.bicep)"
  else
    must_deploy 'register the application' --name "$REGISTRATION_DEPLOYMENT" --template-file "$INFRA/registration.bicep" \
      --parameters "uniqueName=$REGISTRATION" "displayName=$REGISTRATION" "permissions=$(json_list "${PERMISSIONS[@]}")" \
      --query "$REGISTRATION_OUTPUTS" --output tsv
    read_registration || stop "$STOPPED" 'the registration returned no ids.' "az reported: $ANSWER"
    say "registered '$REGISTRATION': client id $CLIENT_ID"
  fi
}

use_given_registration() {
  CLIENT_ID=$GIVEN_CLIENT_ID
  if ! ask ad sp show --id "$CLIENT_ID" --query "[id, displayName || '-']" --output tsv; then
    is_absent || failed 'read the app registration'
    stop "$STOPPED" "this tenant has no enterprise application with the client id $CLIENT_ID." \
      'Check the Application (client) ID and the tenant you are signed in to (az account show).' \
      "Or create it: az ad sp create --id $CLIENT_ID"
  fi
  PRINCIPAL_ID=$(line_of_answer 1) REGISTRATION=$(line_of_answer 2)
  say "using the app registration with client id $CLIENT_ID"
}

# The name that limit-mailboxes.ps1 gives what it makes: that of the registration, as each relay of a tenant needs its
# own; where it is too long or has other characters than that script takes, one made from the client id.
exchange_name() {
  if [[ $REGISTRATION =~ ^[A-Za-z0-9][A-Za-z0-9\ ._-]{0,44}$ ]]; then
    printf '%s' "$REGISTRATION"
  else
    printf 'graph-mail-relay-%s' "${CLIENT_ID%%-*}"
  fi
}

ensure_consent() {
  step consent
  local permission missing=()
  if [ "$PRINCIPAL_ID" = "$NOBODY" ]; then
    say "would grant ${PERMISSIONS[*]} for every mailbox of the tenant (infra/consent.bicep)"
    return
  fi
  must 'read the granted permissions' rest --method get \
    --url "https://graph.microsoft.com/v1.0/servicePrincipals/$PRINCIPAL_ID/appRoleAssignments?\$top=999" \
    --query 'value[].appRoleId' --output tsv
  for permission in "${PERMISSIONS[@]}"; do
    has_line "$ANSWER" "$(permission_id "$permission")" || missing+=("$permission")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    say "${PERMISSIONS[*]} granted for every mailbox of the tenant"
  elif [ "$WHAT_IF" = yes ]; then
    say "would grant ${missing[*]} for every mailbox of the tenant (infra/consent.bicep)"
  else
    must_deploy "grant ${missing[*]}" --name graph-mail-relay-consent --template-file "$INFRA/consent.bicep" \
      --parameters "servicePrincipalObjectId=$PRINCIPAL_ID" "permissions=$(json_list "${missing[@]}")" --output none
    say "granted ${missing[*]} for every mailbox of the tenant"
  fi
}
