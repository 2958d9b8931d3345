# shellcheck shell=bash
# Who has to help when a right is missing, and with what. Sourced; one answer per step.

who_can() {
  local group="${RESOURCE_GROUP:-<resource group>}" scope
  scope="/subscriptions/${SUBSCRIPTION_ID:-<subscription>}/resourceGroups/$group"
  case $1 in
    resource-group)
      cat <<HELP
Who can: an Owner of the subscription makes the resource group and makes you its Owner:
    az group create --name $group --location <region>
    az role assignment create --assignee "${SIGNED_IN_AS:-<you>}" --role Owner --scope $scope
HELP
      ;;
    registration)
      cat <<HELP
Who can: someone with the Entra role Application Developer, Application Administrator or Cloud Application
  Administrator, who may also deploy to the resource group:
    infra/deploy.sh --resource-group $group registration
  Or make the registration by hand (docs/setup.md, part 2) and give its client id: --client-id <id>
HELP
      ;;
    consent)
      cat <<HELP
Who can: a Privileged Role Administrator (or Global Administrator) runs, with rights on the resource group:
    infra/deploy.sh --resource-group $group --consent consent
  Not needed at all, and narrower: leave --consent out and let an Exchange administrator allow the sender
  mailboxes alone, with infra/scripts/limit-mailboxes.ps1 (docs/setup.md, "Only these mailboxes").
HELP
      ;;
    infrastructure)
      cat <<HELP
Who can: an Owner of the resource group, or someone with both Contributor and Role Based Access Control
  Administrator there (the app's identity is given its roles). An Owner makes you one:
    az role assignment create --assignee "${SIGNED_IN_AS:-<you>}" --role Owner --scope $scope
HELP
      ;;
    secret)
      cat <<HELP
Who can: two rights are needed. In Entra: Owner of the app registration, Application Administrator or Cloud
  Application Administrator. On the vault: Key Vault Secrets Officer, which an Owner of the resource group gives:
    az role assignment create --assignee "${SIGNED_IN_AS:-<you>}" --role "Key Vault Secrets Officer" --scope ${VAULT_ID:-$scope}
HELP
      ;;
    code | smoke-test | test-mail)
      cat <<HELP
Who can: someone with Website Contributor on the function app (Contributor and Owner include it):
    az role assignment create --assignee "${SIGNED_IN_AS:-<you>}" --role "Website Contributor" --scope $scope
HELP
      ;;
    *)
      cat <<HELP
Who can: an Owner of the resource group $group; for the app registration its owner or an Application Administrator.
HELP
      ;;
  esac
}
