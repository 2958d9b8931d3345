# shellcheck shell=bash
# Everything in the resource group, and the client secret in its vault. Sourced by deploy.sh.

MAIN_OUTPUTS="[properties.provisioningState || '-', properties.outputs.functionAppName.value || '-', properties.outputs.functionAppUrl.value || '-', properties.outputs.vaultName.value || '-', properties.outputs.vaultId.value || '-', properties.outputs.clientSecretName.value || '-']"

# Takes the names from ANSWER; fails where there are none.
# shellcheck disable=SC2034 # read by the steps after it
read_infrastructure() {
  [ "$(line_of_answer 1)" = Succeeded ] || return 1
  APP=$(line_of_answer 2) APP_URL=$(line_of_answer 3)
  VAULT=$(line_of_answer 4) VAULT_ID=$(line_of_answer 5) SECRET_NAME=$(line_of_answer 6)
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

# What stands on the command line counts before what stands in the file.
collect_parameters() {
  PARAMETERS=()
  [ -z "$PARAMETER_FILE" ] || PARAMETERS+=("$PARAMETER_FILE")
  PARAMETERS+=("entraClientId=$CLIENT_ID")
  [ -z "$SENDER" ] || PARAMETERS+=("defaultSender=$SENDER")
  [ -z "$NAME" ] || PARAMETERS+=("name=$NAME")
  [ -z "$LOCATION" ] || PARAMETERS+=("location=$LOCATION")
  [ ${#SETTINGS[@]} -eq 0 ] || PARAMETERS+=("settings=$(json_object "${SETTINGS[@]}")")
  [ ${#ALERT_TO[@]} -eq 0 ] || PARAMETERS+=("alertRecipients=$(json_list "${ALERT_TO[@]}")")
}

ensure_infrastructure() {
  step infrastructure
  collect_parameters
  if [ "$WHAT_IF" = yes ]; then
    preview_infrastructure
    return
  fi
  say 'deploying infra/main.bicep; this takes a few minutes ...'
  if ! ask deployment group create --resource-group "$RESOURCE_GROUP" --name "$MAIN_DEPLOYMENT" "${SUBSCRIPTION[@]}" \
    --template-file "$INFRA/main.bicep" --parameters "${PARAMETERS[@]}" --query "$MAIN_OUTPUTS" --output tsv; then
    explain_deleted_vault
    may_pass || failed 'deploy infra/main.bicep'
    sleep "$RETRY_SECONDS"
    must 'deploy infra/main.bicep' deployment group create --resource-group "$RESOURCE_GROUP" --name "$MAIN_DEPLOYMENT" \
      "${SUBSCRIPTION[@]}" --template-file "$INFRA/main.bicep" --parameters "${PARAMETERS[@]}" \
      --query "$MAIN_OUTPUTS" --output tsv
  fi
  read_infrastructure || stop "$STOPPED" 'the deployment returned no resource names.' "az reported: $ANSWER"
  say "function app $APP, vault $VAULT"
}

preview_infrastructure() {
  if [ "$GROUP_EXISTS" != true ]; then
    say 'would deploy infra/main.bicep; Azure can preview it only after the resource group exists'
    return
  fi
  must 'preview infra/main.bicep' deployment group what-if --resource-group "$RESOURCE_GROUP" --name "$MAIN_DEPLOYMENT" \
    "${SUBSCRIPTION[@]}" --template-file "$INFRA/main.bicep" --parameters "${PARAMETERS[@]}" --no-prompt true
  printf '%s\n' "$ANSWER"
}

# A vault is only soft-deleted, and keeps its name for 90 days.
explain_deleted_vault() {
  failed_with 'VaultAlreadyExists|deleted state|SoftDeletedVaultDoesNotExist|same name already exists' || return 0
  stop "$STOPPED" 'Azure keeps a deleted vault of this name for recovery.' \
    'List it:                    az keyvault list-deleted --output table' \
    'Restore it with its secrets: az keyvault recover --name <vault>' \
    'Or delete it permanently:    az keyvault purge --name <vault>' \
    'Then run the same command again: it continues here.'
}

# For the steps after it, when they run alone.
find_infrastructure() {
  if ! ask deployment group show --resource-group "$RESOURCE_GROUP" --name "$MAIN_DEPLOYMENT" "${SUBSCRIPTION[@]}" \
    --query "$MAIN_OUTPUTS" --output tsv; then
    is_absent || failed 'find the infrastructure'
    return 1
  fi
  read_infrastructure
}

ensure_secret() {
  step secret
  if [ "$WHAT_IF" = yes ]; then
    say 'would create a client secret and store it in the vault, unless a valid one is stored'
    return
  fi
  local status=0 options=(--vault-id "$VAULT_ID" --client-id "$CLIENT_ID" --secret-name "$SECRET_NAME" --days "$SECRET_DAYS")
  [ "$RENEW_SECRET" = no ] || options+=(--renew)
  # A process of its own, so that the secret is never in the memory of this one.
  RETRY_SECONDS=$RETRY_SECONDS RETRY_TIMES=$RETRY_TIMES "$INFRA/scripts/store-client-secret.sh" "${options[@]}" || status=$?
  [ "$status" -eq 0 ] || exit "$status"
}
