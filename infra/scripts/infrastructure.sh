# shellcheck shell=bash
# Everything in the resource group. Sourced by deploy.sh.

MAIN_OUTPUTS="[properties.provisioningState || '-', properties.outputs.functionAppName.value || '-', properties.outputs.functionAppUrl.value || '-', properties.outputs.vaultName.value || '-', properties.outputs.vaultId.value || '-', properties.outputs.clientSecretName.value || '-', properties.outputs.identityClientId.value || '-', properties.outputs.identityPrincipalId.value || '-']"

# Takes the names from ANSWER; fails where there are none.
# shellcheck disable=SC2034 # read by the steps after it
read_infrastructure() {
  [ "$(line_of_answer 1)" = Succeeded ] || return 1
  APP=$(line_of_answer 2) APP_URL=$(line_of_answer 3)
  VAULT=$(line_of_answer 4) VAULT_ID=$(line_of_answer 5) SECRET_NAME=$(line_of_answer 6)
  IDENTITY_CLIENT_ID=$(line_of_answer 7) IDENTITY_PRINCIPAL_ID=$(line_of_answer 8)
  [ "$APP" != - ] && [ "$VAULT_ID" != - ]
}

# json_text TEXT: as a JSON string. Control characters were refused when the options were read.
json_text() {
  local text=${1//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}

# json_object NAME=VALUE...
json_object() {
  local pair separator=''
  printf '{'
  for pair in "$@"; do
    printf '%s%s:%s' "$separator" "$(json_text "${pair%%=*}")" "$(json_text "${pair#*=}")"
    separator=,
  done
  printf '}'
}

# json_list TEXT...
json_list() {
  local text separator=''
  printf '['
  for text in "$@"; do
    printf '%s%s' "$separator" "$(json_text "$text")"
    separator=,
  done
  printf ']'
}

# Resource providers of everything in infra/modules, and those that options.vaultEvents and options.privateNetwork add: its network is delegated
# to Microsoft.App, which no resource names. A test compares them with the templates.
readonly PROVIDERS='Microsoft.Insights Microsoft.KeyVault Microsoft.ManagedIdentity Microsoft.OperationalInsights Microsoft.Storage Microsoft.Web'
readonly VAULT_EVENTS_PROVIDERS='Microsoft.EventGrid'
readonly PRIVATE_NETWORK_PROVIDERS='Microsoft.App Microsoft.Network'

# names_option NAME: in the parameter file, or the variable that infra/main.bicepparam reads.
names_option() {
  matches "${RELAY_OPTIONS:-}" "$1" && return 0
  [ -n "$PARAMETER_FILE" ] && matches "$(cat "$PARAMETER_FILE")" "$1"
}

# A subscription that never used a service has its provider unregistered. Azure registers most of them with a deployment,
# if the person who deploys has rights on the subscription; with rights on the group alone it fails, halfway.
ensure_providers() {
  step resource-providers
  local needed=$PROVIDERS provider
  ! names_option privateNetwork || needed="$needed $PRIVATE_NETWORK_PROVIDERS"
  [ "$VAULT_EVENTS" = no ] && ! names_option vaultEvents || needed="$needed $VAULT_EVENTS_PROVIDERS"
  local list=(provider list "${SUBSCRIPTION[@]}" --query "[?registrationState=='Registered'].namespace" --output tsv)
  if ! ask "${list[@]}"; then
    if lacks_rights; then
      warn 'you are not allowed to see which resource providers are registered. If the deployment fails with MissingSubscriptionRegistration,'
      warn "an Owner or Contributor of the subscription registers: $needed"
      return 0
    fi
    may_pass || failed 'list the resource providers'
    must 'list the resource providers' "${list[@]}"
  fi
  for provider in $needed; do
    has_line "$ANSWER" "$provider" || UNREGISTERED="$UNREGISTERED $provider"
  done
  if [ -z "$UNREGISTERED" ]; then
    say 'all resource providers are registered'
  elif [ "$WHAT_IF" = yes ]; then
    say "would register the resource providers$UNREGISTERED"
  else
    for provider in $UNREGISTERED; do
      say "registering the resource provider $provider; this can take some minutes ..."
      must "register the resource provider $provider" provider register --namespace "$provider" --wait "${SUBSCRIPTION[@]}" --output none
    done
  fi
}
UNREGISTERED=''

# What stands on the command line counts before what stands in the file.
collect_parameters() {
  PARAMETERS=()
  # What infra/main.bicepparam reads and cannot do without.
  export ENTRA_CLIENT_ID=$CLIENT_ID
  [ -z "$SENDER" ] || export MAIL_DEFAULT_SENDER=$SENDER
  [ -z "$PARAMETER_FILE" ] || PARAMETERS+=("$PARAMETER_FILE")
  PARAMETERS+=("entraClientId=$CLIENT_ID" "name=$NAME")
  [ -z "$SENDER" ] || PARAMETERS+=("defaultSender=$SENDER")
  [ -z "$LOCATION" ] || PARAMETERS+=("location=$LOCATION")
  local setting plain=() hidden=()
  for setting in ${SETTINGS[@]+"${SETTINGS[@]}"}; do
    case $setting in
      # Of a type of its own, which no record of a deployment shows.
      HTTPS_PROXY=* | HTTP_PROXY=* | ALL_PROXY=* | MAIL_WEBHOOKS=*) hidden+=("$setting") ;;
      *) plain+=("$setting") ;;
    esac
  done
  [ ${#plain[@]} -eq 0 ] || PARAMETERS+=("settings=$(json_object "${plain[@]}")")
  [ ${#hidden[@]} -eq 0 ] || PARAMETERS+=("secretSettings=$(json_object "${hidden[@]}")")
  [ ${#ALERT_TO[@]} -eq 0 ] || PARAMETERS+=("alertRecipients=$(json_list "${ALERT_TO[@]}")")
  [ "$VAULT_EVENTS" = no ] || PARAMETERS+=("options=$(options_with_vault_events)")
}

# az takes a parameter as a whole, so the options of the file go with it.
options_with_vault_events() {
  read_parameter_file
  run_node "$PARAMETER_FILE cannot be read" add-option.ts "$SCRATCH/file.json" vaultEvents || exit "$?"
}

# The address is a secret: it is in no argument, only in a file of this user's that is removed at the end. A deployment keeps the setting.
set_webhook() {
  local traced=$-
  { set +x; } 2>/dev/null
  (umask 077 && printf '{"SECRET_WARNING_WEBHOOK":"%s"}' "$WEBHOOK" >"$SCRATCH/webhook.json")
  case $traced in *x*) set -x ;; esac
  AZURE_LOGGING_ENABLE_LOG_FILE=no set_settings "@$SCRATCH/webhook.json"
  rm "$SCRATCH/webhook.json"
  say 'the app has the address of the webhook'
}

ensure_infrastructure() {
  step infrastructure
  collect_parameters
  if [ "$WHAT_IF" = yes ]; then
    preview_infrastructure
    return
  fi
  say 'deploying infra/main.bicep; this takes a few minutes ...'
  must_deploy 'deploy infra/main.bicep' --name "$MAIN_DEPLOYMENT" --template-file "$INFRA/main.bicep" \
    --parameters "${PARAMETERS[@]}" --query "$MAIN_OUTPUTS" --output tsv
  read_infrastructure || stop "$STOPPED" 'the deployment returned no resource names.' "az reported: $ANSWER"
  say "function app $APP, vault $VAULT"
  [ -z "$WEBHOOK_FILE" ] || set_webhook
}

preview_infrastructure() {
  [ -z "$WEBHOOK_FILE" ] || say "would $([ -n "$WEBHOOK" ] && echo set || echo remove) the address of the webhook for warnings"
  if [ "$GROUP_EXISTS" != true ]; then
    say 'would deploy infra/main.bicep; Azure can preview it only after the resource group exists'
    return
  fi
  must 'preview infra/main.bicep' deployment group what-if --resource-group "$RESOURCE_GROUP" --name "$MAIN_DEPLOYMENT" \
    "${SUBSCRIPTION[@]}" --template-file "$INFRA/main.bicep" --parameters "${PARAMETERS[@]}" --no-prompt true
  printf '%s\n' "$ANSWER"
}

# For the steps after it, when they run alone: by what is there, also after a deployment that failed. MISSING says what is not.
MISSING=''
# shellcheck disable=SC2034 # read by deploy.sh and the steps after it
find_infrastructure() {
  APP=$FOUND_APP VAULT_ID=$FOUND_VAULT_ID VAULT=${FOUND_VAULT_ID##*/} SECRET_NAME=graph-client-secret
  if { wants credential || wants rotation; } && [ -z "$VAULT_ID" ]; then
    MISSING='a vault'
    return 1
  fi
  if [ -z "$APP" ]; then
    MISSING='a function app'
    [ "$MOVES" = no ] && ! { wants code || wants smoke-test || wants rotation || wants doctor || wants test-mail; }
    return
  fi
  must 'read the address of the app' functionapp show --resource-group "$RESOURCE_GROUP" --name "$APP" "${SUBSCRIPTION[@]}" \
    --query defaultHostName --output tsv
  APP_URL=https://$ANSWER
}
