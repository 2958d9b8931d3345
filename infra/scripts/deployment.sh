# shellcheck shell=bash
# Deploying a template: bounded patience, and what to do about failures that az reports without it. Sourced by deploy.sh.

# A deployment takes minutes each time; what does not pass by itself in so many is not waited for any longer.
readonly DEPLOYMENT_TRIES=3

# must_deploy WHAT ARGUMENTS: deploys a template into the resource group.
must_deploy() {
  local what=$1 tries=1 waits=1
  shift
  until ask deployment group create --resource-group "$RESOURCE_GROUP" "${SUBSCRIPTION[@]}" "$@"; do
    explain_deployment
    if failed_with DeploymentActive; then
      # That of an earlier run is still in progress.
      [ "$waits" -lt "$RETRY_TIMES" ] || failed "$what"
      waits=$((waits + 1))
    else
      { may_pass && [ "$tries" -lt "$DEPLOYMENT_TRIES" ]; } || failed "$what"
      tries=$((tries + 1))
    fi
    say "could not $what yet; retrying ..."
    sleep "$RETRY_SECONDS"
  done
}

# Failures of a deployment that az reports without what to do.
explain_deployment() {
  if failed_with 'VaultAlreadyExists|A vault with the same name already exists|SoftDeletedVaultDoesNotExist'; then
    stop "$STOPPED" 'Azure keeps a deleted vault of this name for recovery.' \
      'List it:                    az keyvault list-deleted --output table'"$(in_subscription)" \
      'Restore it with its secrets: az keyvault recover --name <vault>'"$(in_subscription)" \
      'Or delete it permanently:    az keyvault purge --name <vault>'"$(in_subscription)" \
      'Then run the same command again: it continues here.'
  elif failed_with 'same value for property uniqueName|uniqueName.*already (exists|in use)'; then
    stop "$STOPPED" 'Entra keeps a deleted app registration of this unique name for 30 days.' \
      "List it:                  az rest --method get --url $DELETED_ITEMS/microsoft.graph.application" \
      "Restore it:               az rest --method post --url $DELETED_ITEMS/<its id>/restore" \
      "Or delete it permanently: az rest --method delete --url $DELETED_ITEMS/<its id>" \
      'Then run the same command again: it continues here. Or choose another name: --registration <name>'
  fi
}
