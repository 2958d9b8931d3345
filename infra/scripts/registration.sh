# shellcheck shell=bash
# The resource group, the app registration, and tenant-wide consent where it is asked for. Sourced by deploy.sh.

# Ids of application permissions of Microsoft Graph, as in infra/modules/graph-permissions.bicep.
permission_id() {
  case $1 in
    Mail.Send) echo b633e1c5-b582-4048-a93e-9f11b44c7e96 ;;
    Mail.Read) echo 810c84a8-4a9e-49e6-bf7d-12d183f40d01 ;;
    Mail.ReadWrite) echo e2a3a72e-5f79-4c64-b1b1-878b674786c9 ;;
    ExchangeMessageTrace.Read.All) echo 89b20d8a-76e2-4057-867b-9961f800b9a4 ;;
    Application.ReadWrite.OwnedBy) echo 18a4783c-866b-4cc7-a460-3d5e5662c884 ;;
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
  RECORDED_NAME=$(line_of_answer 4)
  [ "$(line_of_answer 1)" = Succeeded ] || return 1
  CLIENT_ID=$(line_of_answer 2) PRINCIPAL_ID=$(line_of_answer 3)
  [ "$CLIENT_ID" != - ] && [ "$PRINCIPAL_ID" != - ]
}

RECORDED_NAME=-
# What an earlier run, perhaps by somebody else, has registered for this relay.
find_recorded_registration() {
  if ! ask deployment group show --resource-group "$RESOURCE_GROUP" --name "$REGISTRATION_DEPLOYMENT" \
    "${SUBSCRIPTION[@]}" --query "$REGISTRATION_OUTPUTS" --output tsv; then
    is_absent || failed 'find an earlier registration'
    return 1
  fi
  read_registration || return 1
  # The record outlives an application that was deleted since.
  ask ad app show --id "$CLIENT_ID" --query appId --output tsv && return 0
  is_absent || lacks_rights || failed 'read the app registration'
  ! is_absent
}

# What the relay runs with counts before the record: --client-id of an earlier run is in no record.
find_registration() {
  [ "$GROUP_EXISTS" = true ] || return 1
  local is_recorded=no
  ! find_recorded_registration || is_recorded=yes
  if [ -n "$RUNS_WITH" ] && ! has_line "$CLIENT_ID" "$RUNS_WITH" && find_service_principal "$RUNS_WITH"; then
    [ "$REGISTRATION_GIVEN" = no ] ||
      stop "$STOPPED" "the relay '$NAME' in $RESOURCE_GROUP runs with client id $RUNS_WITH, not with the app registration '$REGISTRATION'." \
        'Omit --registration to keep it. For another one, give its --client-id.'
    CLIENT_ID=$RUNS_WITH PRINCIPAL_ID=$(line_of_answer 1) REGISTRATION=$(line_of_answer 2)
    return 0
  fi
  if [ "$is_recorded" = no ]; then
    # It was deleted since: it is made again under the name that it had.
    [ "$RECORDED_NAME" = - ] || [ "$REGISTRATION_GIVEN" = yes ] || REGISTRATION=$RECORDED_NAME
    return 1
  fi
  [ "$RECORDED_NAME" != - ] || return 0
  [ "$REGISTRATION_GIVEN" = no ] || [ "$RECORDED_NAME" = "$REGISTRATION" ] ||
    stop "$STOPPED" "the relay in $RESOURCE_GROUP uses the app registration '$RECORDED_NAME', not '$REGISTRATION'." \
      'Omit --registration to keep it, use another resource group for another relay, or give --client-id for an existing registration.'
  REGISTRATION=$RECORDED_NAME
}

# find_service_principal CLIENT_ID: ANSWER has its object id and its name.
find_service_principal() {
  ask ad sp show --id "$1" --query "[id, displayName || '-']" --output tsv && return 0
  is_absent || failed 'read the app registration'
  return 1
}

# Entra takes a registration of a unique name that is there for the same one: a second relay would send as the first.
refuse_to_share() {
  [ "$REGISTRATION_GIVEN" = no ] && [ "$RECORDED_NAME" != "$REGISTRATION" ] || return 0
  if ! ask rest --method get --url "$GRAPH/v1.0/applications(uniqueName='$REGISTRATION')?\$select=appId" \
    --query "appId || '-'" --output tsv; then
    is_absent || lacks_rights || failed 'find out whether the name of the app registration is free'
    return 0
  fi
  stop "$STOPPED" "the tenant has an app registration '$REGISTRATION' already (client id $ANSWER), which another relay may use." \
    'For a registration of its own, give it another name: --registration <name>' \
    "To use that one all the same:                        --registration $REGISTRATION"
}

# A secret of one application is of no use to a relay that runs with another.
check_client_id() {
  [ -n "$RUNS_WITH" ] && ! has_line "$CLIENT_ID" "$RUNS_WITH" || return 0
  if wants infrastructure; then
    say "the relay changes from client id $RUNS_WITH to $CLIENT_ID"
  elif wants credential; then
    stop "$STOPPED" "the relay '$NAME' runs with client id $RUNS_WITH, and the secret would be one of $CLIENT_ID." \
      'Omit --client-id to renew the secret that it uses, or run the step infrastructure too.'
  fi
}

ensure_registration() {
  step registration
  if [ -n "$GIVEN_CLIENT_ID" ]; then
    use_given_registration
  elif find_registration; then
    # What it asks for matters to consent in the portal alone, so permissions chosen later do not change it.
    say "the app registration exists: client id $CLIENT_ID"
  elif refuse_to_share && [ "$WHAT_IF" = yes ]; then
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
  if ! find_service_principal "$CLIENT_ID"; then
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

# "Transport Data Platform" of Microsoft, which has the message traces. Its service principal is not in every tenant:
# https://learn.microsoft.com/exchange/monitoring/trace-an-email-message/graph-api-message-trace
readonly TRACE_APPLICATION=8bd644d1-64a1-4d4b-ae52-2e0cbf64e373

ensure_consent() {
  step consent
  local permission wanted=("${PERMISSIONS[@]}") missing=() reach='for every mailbox of the tenant'
  if [ "$GRANT_TRACE" = yes ]; then
    # Without --consent, Exchange allows the sender mailboxes alone: nothing about email is granted here.
    if [ "$CONSENT" = yes ]; then wanted+=("$TRACE_PERMISSION"); else wanted=("$TRACE_PERMISSION"); fi
  fi
  if [ "$SENDING_PRINCIPAL_ID" = "$NOBODY" ]; then
    say "would grant ${wanted[*]} $reach (infra/consent.bicep)"
    return
  fi
  must 'read the granted permissions' rest --method get \
    --url "$GRAPH/v1.0/servicePrincipals/$SENDING_PRINCIPAL_ID/appRoleAssignments?\$top=999" \
    --query 'value[].appRoleId' --output tsv
  for permission in "${wanted[@]}"; do
    has_line "$ANSWER" "$(permission_id "$permission")" || missing+=("$permission")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    say "${wanted[*]} granted $reach"
  elif [ "$WHAT_IF" = yes ]; then
    say "would grant ${missing[*]} $reach (infra/consent.bicep)"
  else
    must_deploy "grant ${missing[*]}" --name "$CONSENT_DEPLOYMENT" --template-file "$INFRA/consent.bicep" \
      --parameters "servicePrincipalObjectId=$SENDING_PRINCIPAL_ID" "permissions=$(json_list "${missing[@]}")" --output none
    say "granted ${missing[*]} $reach"
  fi
  [ "$GRANT_TRACE" = no ] || ensure_trace_application
}

ensure_trace_application() {
  if find_service_principal "$TRACE_APPLICATION"; then
    say 'the service principal that message traces need is there'
  elif [ "$WHAT_IF" = yes ]; then
    say "would create the service principal that message traces need ($TRACE_APPLICATION)"
  else
    must 'create the service principal that message traces need' ad sp create --id "$TRACE_APPLICATION" --output none
    say 'created the service principal that message traces need; it can take some hours until it works'
  fi
  say 'the relay uses it with the setting MAIL_TRACE: --set MAIL_TRACE=true'
}
