# shellcheck shell=bash
# What the relay already is: which relay of the resource group is meant, where it is, which registration it runs with, and
# what a run without its earlier options would reset. Sourced by deploy.sh.

readonly DEFAULT_NAME=mail-relay

RELAY_EXISTS=no RELAY_LOCATION='' RUNS_WITH='' RUNS_ON='' RENEWS_EVERY='' FOUND_APP='' FOUND_VAULT_ID=''

# Azure writes a region as westeurope, people also as "West Europe".
plain_region() { printf '%s' "$1" | tr -d ' ' | tr '[:upper:]' '[:lower:]'; }

# run_node WHAT SCRIPT ARGUMENTS: Node.js as pinned by the project, where it is installed: older ones cannot run TypeScript.
run_node() {
  local what=$1 script=$2
  shift 2
  PATH="$ROOT/node_modules/.bin:$PATH" node "$ROOT/scripts/$script" "$@" 2>"$SCRATCH/node" ||
    stop "$STOPPED" "$what." "$(tail -n 8 "$SCRATCH/node")" 'Run npm ci, then the same command again.'
}

# The file of --parameters as JSON, in $SCRATCH/file.json.
read_parameter_file() {
  case $PARAMETER_FILE in
    '') printf '{"parameters":{}}' >"$SCRATCH/file.json" ;;
    *.bicepparam)
      # What infra/main.bicepparam cannot do without, and what nothing here depends on.
      ENTRA_CLIENT_ID=${ENTRA_CLIENT_ID:-$NOBODY} MAIL_DEFAULT_SENDER=${SENDER:-${MAIL_DEFAULT_SENDER:-nobody@example.com}} \
        must "read $PARAMETER_FILE" bicep build-params --file "$PARAMETER_FILE" --stdout
      printf '%s' "$ANSWER" >"$SCRATCH/file.json"
      ;;
    *) cat "$PARAMETER_FILE" >"$SCRATCH/file.json" ;;
  esac
}

# Resources and their tag, because the record of a deployment outlives them. Those that are global may serve several relays.
# shellcheck disable=SC2034 # read by the steps after it
find_relay() {
  local listed='' names file_name=''
  if [ "$GROUP_EXISTS" = true ]; then
    must 'list the resources' resource list --resource-group "$RESOURCE_GROUP" "${SUBSCRIPTION[@]}" \
      --query "[?tags.\"graph-mail-relay\" && location != 'global'].[tags.\"graph-mail-relay\", location, id]" --output tsv
    listed=$ANSWER
  fi
  names=$(printf '%s\n' "$listed" | cut -f 1 | tr '[:upper:]' '[:lower:]' | sed '/^$/d' | LC_ALL=C sort -u)
  [ -z "$PARAMETER_FILE" ] || [ -n "$NAME" ] || {
    read_parameter_file
    file_name=$(run_node "$PARAMETER_FILE cannot be read" relay-name.ts "$SCRATCH/file.json") || exit "$?"
  }
  choose_name "$names" "$file_name"
  [ "$NAME" = "$DEFAULT_NAME" ] || {
    MAIN_DEPLOYMENT=graph-mail-relay-$NAME
    REGISTRATION_DEPLOYMENT=graph-mail-relay-$NAME.registration
    CONSENT_DEPLOYMENT=graph-mail-relay-$NAME.consent
    PACKAGE_TAG=graphMailRelayPackage-$NAME
  }
  local tag location id
  while IFS=$'\t' read -r tag location id; do
    has_line "$tag" "$NAME" || continue
    RELAY_EXISTS=yes
    [ -n "$RELAY_LOCATION" ] || RELAY_LOCATION=$(plain_region "$location")
    case $id in
      */sites/*/*) ;;
      */sites/*) FOUND_APP=${id##*/} ;;
      */[Mm]icrosoft.[Kk]ey[Vv]ault/vaults/*) FOUND_VAULT_ID=$id ;;
    esac
  done < <(printf '%s\n' "$listed")
  [ "$RELAY_EXISTS" = no ] || say "the relay '$NAME' is there"
  choose_location
}

# choose_name NAMES FILE_NAME: of the relays that are there, and of the parameter file.
choose_name() {
  local there
  there=$(printf '%s' "$1" | tr '\n' ' ')
  if [ -n "$NAME" ]; then
    return 0
  elif [ -n "$2" ]; then
    [ -z "$1" ] || has_line "$1" "$2" ||
      stop "$WRONG_USAGE" "$RESOURCE_GROUP has the relay $there, and the parameters would create another, '$2'." \
        "Say which one is meant: --name ${there%% *}, or --name $2"
    NAME=$2
    check_name
  else
    case $1 in
      *$'\n'*) stop "$WRONG_USAGE" "$RESOURCE_GROUP has several relays: $there" 'Say which one is meant: --name <name>' ;;
    esac
    NAME=${1:-$DEFAULT_NAME}
  fi
}

choose_location() {
  [ -n "$RELAY_LOCATION" ] || return 0
  [ -z "$LOCATION" ] || [ "$(plain_region "$LOCATION")" = "$RELAY_LOCATION" ] ||
    stop "$WRONG_USAGE" "the relay '$NAME' is in $RELAY_LOCATION, not in $LOCATION, and Azure cannot move it." \
      'Omit --location, or give another --name or --resource-group to create another relay.'
  LOCATION=$RELAY_LOCATION
}

# What the app runs with: its client id, credential and rotation. Where there is no app yet, or it cannot be read, the client id of the last
# deployment.
find_client_id() {
  [ "$RELAY_EXISTS" = yes ] || return 0
  if [ -n "$FOUND_APP" ]; then
    if ask functionapp config appsettings list --resource-group "$RESOURCE_GROUP" --name "$FOUND_APP" "${SUBSCRIPTION[@]}" \
      --query "[[?name=='ENTRA_CLIENT_ID'].value | [0] || '-', [?name=='GRAPH_CREDENTIAL'].value | [0] || '-', [?name=='SECRET_ROTATION_DAYS'].value | [0] || '-']" --output tsv; then
      RUNS_WITH=$(line_of_answer 1) RUNS_ON=$(line_of_answer 2) RENEWS_EVERY=$(line_of_answer 3)
      RUNS_WITH=${RUNS_WITH#-} RUNS_ON=${RUNS_ON#-} RENEWS_EVERY=${RENEWS_EVERY#-}
    else
      lacks_rights || is_absent || failed 'read the app settings'
    fi
  fi
  [ -z "$RUNS_WITH" ] || return 0
  must 'read the last deployment' deployment group list --resource-group "$RESOURCE_GROUP" "${SUBSCRIPTION[@]}" \
    --query "reverse(sort_by([?properties.parameters.entraClientId && (properties.parameters.name.value || '$DEFAULT_NAME') == '$NAME'].properties, &timestamp))[0].parameters.entraClientId.value || '-'" \
    --output tsv
  RUNS_WITH=${ANSWER#-}
}

# Names and the way to give them, never values.
check_nothing_is_lost() {
  [ "$RELAY_EXISTS" = yes ] && [ "$RESET" = no ] || return 0
  read_parameter_file
  must 'read the last deployment' deployment group list --resource-group "$RESOURCE_GROUP" "${SUBSCRIPTION[@]}" \
    --query "reverse(sort_by([?properties.parameters.entraClientId].properties, &timestamp))[].parameters" --output json
  printf '%s' "$ANSWER" >"$SCRATCH/last.json"
  local recipients=null
  [ ${#ALERT_TO[@]} -eq 0 ] || recipients=$(json_list "${ALERT_TO[@]}")
  printf '{"parameters":{"name":{"value":%s},"alertRecipients":{"value":%s},"options":{"value":null}}}' \
    "$(json_text "$NAME")" "$recipients" >"$SCRATCH/given.json"
  run_lost_parameters
}

run_lost_parameters() {
  local status=0
  PATH="$ROOT/node_modules/.bin:$PATH" node "$ROOT/scripts/lost-parameters.ts" --script \
    "$SCRATCH/last.json" "$SCRATCH/file.json" "$SCRATCH/given.json" 2>"$SCRATCH/node" || status=$?
  [ "$status" -ne 0 ] || return 0
  if [[ $(cat "$SCRATCH/node") == *'This run would reset'* ]]; then
    stop "$STOPPED" 'options of the last deployment are missing.' "$(cat "$SCRATCH/node")"
  fi
  stop "$STOPPED" 'this run cannot be compared with the last deployment.' "$(tail -n 8 "$SCRATCH/node")" \
    'Run npm ci, then the same command again.'
}
