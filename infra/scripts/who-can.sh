# shellcheck shell=bash
# Who can help when a right is missing, and with which command. Sourced; one answer per step. For deploy.sh and for scripts
# that know less: what is not known is not in the command.

# in_this_group: the resource group as options of az, for another person, whose current subscription can be another.
in_this_group() {
  printf -- '--resource-group %s' "$(shell_word "$RESOURCE_GROUP")"
  in_subscription
}

in_subscription() {
  [ -z "${GIVEN_SUBSCRIPTION:-}" ] || printf -- ' --subscription %s' "$(shell_word "$GIVEN_SUBSCRIPTION")"
}

# The permissions that were chosen, as options.
also_grant() {
  [ -z "${ALSO_GRANT:-}" ] || printf -- ' --also-grant %s' "$ALSO_GRANT"
  [ "${GRANT_TRACE:-no}" = no ] || printf -- ' --also-grant %s' "$TRACE_PERMISSION"
}

# deploy_command MORE...: the command by which another person goes on with this same relay and registration.
deploy_command() {
  printf 'infra/deploy.sh %s' "$(in_this_group)"
  [ "${NAME:-mail-relay}" = mail-relay ] || printf -- ' --name %s' "$NAME"
  if [ -n "${GIVEN_CLIENT_ID:-}" ]; then
    printf -- ' --client-id %s' "$GIVEN_CLIENT_ID"
  elif [ "${REGISTRATION_GIVEN:-no}" = yes ]; then
    printf -- ' --registration %s' "$REGISTRATION"
  fi
  [ $# -eq 0 ] || printf ' %s' "$@"
}

who_can() {
  local group='<resource group>' scope
  [ -z "${RESOURCE_GROUP:-}" ] || group=$(shell_word "$RESOURCE_GROUP")
  scope="/subscriptions/${SUBSCRIPTION_ID:-<subscription>}/resourceGroups/$group"
  case $1 in
    resource-group)
      cat <<HELP
Who can help: an Owner of the subscription creates the resource group and assigns you the role Owner:
    az group create --name $group --location ${LOCATION:-<region>} --subscription ${SUBSCRIPTION_ID:-<subscription>}
    az role assignment create --assignee "${SIGNED_IN_AS:-<you>}" --role Owner --scope $scope
HELP
      ;;
    resource-providers)
      cat <<HELP
Who can help: an Owner or Contributor of the subscription registers what the templates use, once:
$(for provider in ${UNREGISTERED:-}; do
        printf '    az provider register --subscription %s --namespace %s --wait\n' "${SUBSCRIPTION_ID:-<subscription>}" "$provider"
      done)
HELP
      ;;
    registration)
      cat <<HELP
Who can help: someone with the Entra role Application Developer, Application Administrator or Cloud Application
  Administrator, who can also deploy to the resource group:
    $(deploy_command)${LOCATION:+ --location $(shell_word "$LOCATION")}$(also_grant) registration
  Or create the registration in the portal (docs/setup-portal.md) and give its client id: --client-id <id>
HELP
      ;;
    consent)
      cat <<HELP
Who can help: a Privileged Role Administrator (or Global Administrator) with rights on the resource group runs:
    $(deploy_command)$([ "${CONSENT:-no}" = no ] && [ "${GRANT_TRACE:-no}" = yes ] || printf ' --consent')$(also_grant) consent
  Recommended instead: omit --consent, and ask an Exchange administrator to allow only the sender mailboxes
  with infra/scripts/limit-mailboxes.ps1 (docs/setup.md, "Limit the mailboxes").
HELP
      ;;
    infrastructure)
      cat <<HELP
Who can help: an Owner of the resource group, or someone with both Contributor and Role Based Access Control
  Administrator there (the step assigns roles to the identity of the app). An Owner assigns you the role Owner:
    az role assignment create --assignee "${SIGNED_IN_AS:-<you>}" --role Owner --scope $scope
HELP
      ;;
    credential)
      cat <<HELP
Who can help: the step needs two rights. In Entra: Owner of the app registration, Application Administrator or Cloud
  Application Administrator. On the vault: ${ROLE_NAME:-Key Vault Secrets Officer}, which an Owner of the resource group assigns:
    az role assignment create --assignee "${SIGNED_IN_AS:-<you>}" --role "${ROLE_NAME:-Key Vault Secrets Officer}" --scope ${VAULT_ID:-$scope}
HELP
      ;;
    rotation)
      cat <<HELP
Who can help: three people can be needed, and each can run the same command: it continues where the last one stopped.
  For the permission Application.ReadWrite.OwnedBy: a Privileged Role Administrator (or Global Administrator).
  For the ownership of the app registration: its owner, or an Application Administrator.
  For the role on the client secret: an Owner of the resource group.
    $(deploy_command --rotate-secret "${ROTATE:-<days>}" rotation)
HELP
      ;;
    code | smoke-test | move | doctor | test-mail)
      cat <<HELP
Who can help: someone with Website Contributor on the resource group (Contributor and Owner include it):
    az role assignment create --assignee "${SIGNED_IN_AS:-<you>}" --role "Website Contributor" --scope $scope
HELP
      ;;
    *)
      cat <<HELP
Who can help: an Owner of the resource group $group; for the app registration, its owner or an Application Administrator.
HELP
      ;;
  esac
}
