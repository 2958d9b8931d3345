# shellcheck shell=bash
# Opening the vault to the person who runs a script, for as long as it takes. Sourced after az-call.sh, with VAULT, VAULT_ID, ROLE (its id),
# ROLE_NAME and BORROWED (the description by which the assignment is found again).

ME='' MY_KIND=''
who_am_i() {
  must 'read who is signed in' account show --query '[user.type, user.name]' --output tsv
  if [ "$(line_of_answer 1)" = servicePrincipal ]; then
    MY_KIND=ServicePrincipal
    must 'read who is signed in' ad sp show --id "$(line_of_answer 2)" --query id --output tsv
  else
    MY_KIND=User
    must 'read who is signed in' ad signed-in-user show --query id --output tsv
  fi
  ME=$ANSWER
}

HAS_BORROWED=no

# open_vault WHAT ARGUMENTS: runs a call of az that needs ROLE on the vault, and borrows the role where it is missing. ANSWER is that of the call.
open_vault() {
  local what=$1 tries=1
  shift
  ask "$@" && return 0
  if failed_with 'ForbiddenByFirewall|Client address is not authorized|Public network access is disabled'; then
    stop "$STOPPED" "the firewall of the vault $VAULT rejects your address." \
      'Run this from inside the network, or add your address to options.operatorIpRanges of infra/main.bicep temporarily.'
  fi
  lacks_rights || may_pass || return 1
  who_am_i
  say "assigning you the role $ROLE_NAME on $VAULT; this script removes it afterwards"
  HAS_BORROWED=yes
  ask role assignment create --assignee-object-id "$ME" --assignee-principal-type "$MY_KIND" \
    --role "$ROLE" --scope "$VAULT_ID" --description "$BORROWED" --output none ||
    failed_with RoleAssignmentExists || failed "assign the role $ROLE_NAME on the vault"
  until ask "$@"; do
    # What az was asked for can be missing: that is for the caller to judge.
    ! is_absent || return 1
    if { ! may_pass && ! lacks_rights; } || [ "$tries" -ge "$RETRY_TIMES" ]; then failed "$what"; fi
    [ "$tries" -gt 1 ] || say "waiting for a role assignment to take effect ($what) ..."
    tries=$((tries + 1))
    sleep "$RETRY_SECONDS"
  done
}

# Also gives back what an earlier run, cut short, has left.
give_back_role() {
  local ids=() id
  if ! ask role assignment list --scope "$VAULT_ID" --query "[?description=='$BORROWED'].id" --output tsv; then
    [ "$HAS_BORROWED" = yes ] || return 0
    failed 'find the temporary role assignment'
  fi
  [ -n "$ANSWER" ] || return 0
  while IFS= read -r id; do ids+=("$id"); done < <(printf '%s\n' "$ANSWER")
  must 'remove the temporary role assignment' role assignment delete --ids "${ids[@]}" --output none
  say 'removed the temporary role assignment'
}
