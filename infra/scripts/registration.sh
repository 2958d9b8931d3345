# shellcheck shell=bash
# The resource group, the app registration, and tenant-wide consent where it is asked for. Sourced by deploy.sh.

# Mail.Send as application permission of Microsoft Graph (permissions reference).
readonly MAIL_SEND_ROLE=b633e1c5-b582-4048-a93e-9f11b44c7e96
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

REGISTRATION_OUTPUTS="[properties.provisioningState || '-', properties.outputs.clientId.value || '-', properties.outputs.servicePrincipalObjectId.value || '-']"

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
  # The record outlives an application that was deleted since.
  if ! ask ad app show --id "$CLIENT_ID" --query appId --output tsv; then
    is_absent || lacks_rights || failed 'read the app registration'
    ! is_absent || return 1
  fi
}

ensure_registration() {
  step registration
  if [ -n "$GIVEN_CLIENT_ID" ]; then
    use_given_registration
  elif find_registration; then
    say "the app registration exists: client id $CLIENT_ID"
  elif [ "$WHAT_IF" = yes ]; then
    CLIENT_ID=$NOBODY PRINCIPAL_ID=$NOBODY
    say "would register the application '$REGISTRATION' (infra/registration.bicep)"
  else
    must 'register the application' deployment group create --resource-group "$RESOURCE_GROUP" \
      --name "$REGISTRATION_DEPLOYMENT" "${SUBSCRIPTION[@]}" --template-file "$INFRA/registration.bicep" \
      --parameters "uniqueName=$REGISTRATION" "displayName=$REGISTRATION" --query "$REGISTRATION_OUTPUTS" --output tsv
    read_registration || stop "$STOPPED" 'the registration returned no ids.' "az reported: $ANSWER"
    say "registered '$REGISTRATION': client id $CLIENT_ID"
  fi
}

use_given_registration() {
  CLIENT_ID=$GIVEN_CLIENT_ID
  if ! ask ad sp show --id "$CLIENT_ID" --query id --output tsv; then
    is_absent || failed 'read the app registration'
    stop "$STOPPED" "this tenant has no enterprise application with the client id $CLIENT_ID." \
      'Check the Application (client) ID and the tenant you are signed in to (az account show).' \
      "Or create it: az ad sp create --id $CLIENT_ID"
  fi
  PRINCIPAL_ID=$ANSWER
  say "using the app registration with client id $CLIENT_ID"
}

ensure_consent() {
  step consent
  if [ "$PRINCIPAL_ID" = "$NOBODY" ]; then
    say 'would grant Mail.Send for every mailbox of the tenant (infra/consent.bicep)'
    return
  fi
  must 'read the granted permissions' rest --method get \
    --url "https://graph.microsoft.com/v1.0/servicePrincipals/$PRINCIPAL_ID/appRoleAssignments" \
    --query "value[?appRoleId=='$MAIL_SEND_ROLE'].id" --output tsv
  if [ -n "$ANSWER" ]; then
    say 'Mail.Send is granted for every mailbox of the tenant'
  elif [ "$WHAT_IF" = yes ]; then
    say 'would grant Mail.Send for every mailbox of the tenant (infra/consent.bicep)'
  else
    must 'grant Mail.Send' deployment group create --resource-group "$RESOURCE_GROUP" \
      --name graph-mail-relay-consent "${SUBSCRIPTION[@]}" --template-file "$INFRA/consent.bicep" \
      --parameters "servicePrincipalObjectId=$PRINCIPAL_ID" --output none
    say 'granted Mail.Send for every mailbox of the tenant'
  fi
}
