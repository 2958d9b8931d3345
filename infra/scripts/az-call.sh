# shellcheck shell=bash
# Calling az: the answer, the kind of failure, bounded patience. Sourced after say.sh.

# Role assignments take effect within minutes (Azure documents up to 30 for storage); 30 times 10 seconds is what
# a person waits. The same command again waits as long again.
: "${RETRY_SECONDS:=10}" "${RETRY_TIMES:=30}"

SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/graph-mail-relay.XXXXXX")
trap 'rm -rf "$SCRATCH"' EXIT

# Secrets pass through these. Where the caller's environment exports one of the names, even a local variable of
# that name would be exported.
unset ANSWER FAILURE secret key

# ask ARGUMENTS: runs az. ANSWER holds what it printed, FAILURE what it complained of.
ask() {
  local status=0
  FAILURE=''
  ANSWER=$(az "$@" --only-show-errors 2>"$SCRATCH/failure") || status=$?
  # az on Windows ends its lines with a carriage return too.
  ANSWER=${ANSWER//$'\r'/}
  [ "$status" -eq 0 ] || FAILURE=$(cat "$SCRATCH/failure")
  return "$status"
}

# Answers of az are read line by line; a missing value is a dash (`|| '-'` in each query), as an empty line or
# "None" would depend on the version.
line_of_answer() {
  local number=$1 rest=$ANSWER
  for (( ; number > 1; number--)); do
    case $rest in *$'\n'*) rest=${rest#*$'\n'} ;; *) rest='' ;; esac
  done
  printf '%s' "${rest%%$'\n'*}"
}

# matches TEXT PATTERN: an extended regular expression, whatever the case. Not `printf | grep -q`: grep leaves at the
# first match, and the pipe breaks under the lines that follow, now and then.
matches() {
  local missing=1
  shopt -s nocasematch
  if [[ $1 =~ $2 ]]; then missing=0; fi
  shopt -u nocasematch
  return "$missing"
}

# has_line TEXT LINE: whatever the case.
has_line() {
  local missing=1
  shopt -s nocasematch
  if [[ $'\n'$1$'\n' == *$'\n'"$2"$'\n'* ]]; then missing=0; fi
  shopt -u nocasematch
  return "$missing"
}

failed_with() { matches "$FAILURE" "$1"; }

lacks_rights() {
  failed_with 'AuthorizationFailed|Authorization_RequestDenied|Insufficient privileges|does not have authorization|ForbiddenByRbac|not authorized to perform|LinkedAuthorizationFailed|(^|[^a-z])Forbidden([^a-z]|$)'
}

is_absent() {
  failed_with 'NotFound|could not be found|does not exist|not found'
}

# Directory and role data lag behind writes, hence the two of them that are "not found".
may_pass() {
  failed_with 'TooManyRequests|ServiceUnavailable|Service Unavailable|GatewayTimeout|Bad Gateway|timed out|Connection (reset|aborted|refused)|RemoteDisconnected|DeploymentActive|OperationInProgress|(operation|deployment)( is)?( currently)? in progress|PrincipalNotFound|Request_ResourceNotFound|RetryableError' ||
    is_passing_conflict
}

# Two changes to one resource at the same time. A name that is taken is a conflict too, and stays one.
is_passing_conflict() {
  failed_with '(^|[^a-z])Conflict([^a-z]|$)' &&
    ! failed_with 'already ?exists|AlreadyTaken|already (in use|taken)|is taken|deleted state|not available'
}

# failed WHAT: stops with what az reported and who can help.
failed() {
  local what=$1 said
  said=$(printf '%s' "$FAILURE" | { head -n 8; cat >/dev/null; } | cut -c 1-600)
  if lacks_rights; then
    stop "$RIGHTS_MISSING" "you are not allowed to $what." "az reported: $said" '' \
      "$(who_can "$STEP")" '' 'Then run the same command again: it continues here.'
  fi
  stop "$STOPPED" "could not $what." "az reported: $said" '' \
    'Fix it, then run the same command again: it continues here.'
}

# must WHAT ARGUMENTS: az has to succeed; what may pass by itself is tried again.
must() {
  local what=$1 tries=1
  shift
  until ask "$@"; do
    if ! may_pass || [ "$tries" -ge "$RETRY_TIMES" ]; then failed "$what"; fi
    [ "$tries" -gt 1 ] || say "could not $what yet; retrying ..."
    tries=$((tries + 1))
    sleep "$RETRY_SECONDS"
  done
}

# check_tenant TENANT: that of --subscription. Commands of Entra take no subscription: they go to the tenant of the current one.
check_tenant() {
  must 'read the current subscription' account show --query tenantId --output tsv
  [ "$ANSWER" = "$1" ] ||
    stop "$STOPPED" "the subscription of --subscription belongs to tenant $1, and the current one of az to tenant $ANSWER." \
      'Select it first: az account set --subscription <id>'
}

# find_cloud: that which az is set to (az cloud set), with the addresses of Graph and Entra there.
# shellcheck disable=SC2034 # read by the steps after it
find_cloud() {
  must 'read the cloud of az' cloud show --query '[name, endpoints.microsoftGraphResourceId, endpoints.activeDirectory]' --output tsv
  CLOUD=$(line_of_answer 1) GRAPH=$(line_of_answer 2) LOGIN=$(line_of_answer 3)
  GRAPH=${GRAPH%/} LOGIN=${LOGIN%/}
  DELETED_ITEMS=$GRAPH/v1.0/directory/deletedItems
}

# must_once_granted WHAT ARGUMENTS: as must, and patient with rights too, as a role just assigned takes a while.
must_once_granted() {
  local what=$1 tries=1
  shift
  until ask "$@"; do
    if { ! may_pass && ! lacks_rights; } || [ "$tries" -ge "$RETRY_TIMES" ]; then failed "$what"; fi
    [ "$tries" -gt 1 ] || say "waiting for a role assignment to take effect ($what) ..."
    tries=$((tries + 1))
    sleep "$RETRY_SECONDS"
  done
}
