# shellcheck shell=bash
# What the relay says of itself: GET /api/doctor. The master key goes from az to curl through a pipe: it is never an argument, a file or
# output. Sourced by deploy.sh.

# get_doctor TYPE: DOCTOR is the report as text/plain or application/json; DOCTOR_STATUS is 0 where there was no answer.
get_doctor() {
  local traced=$- key
  { set +x; } 2>/dev/null
  AZURE_LOGGING_ENABLE_LOG_FILE=no must 'read the master key' functionapp keys list --resource-group "$RESOURCE_GROUP" \
    --name "$APP" "${SUBSCRIPTION[@]}" --query masterKey --output tsv
  key=$ANSWER ANSWER=''
  [[ $key =~ ^[A-Za-z0-9+/=_-]+$ ]] || stop "$STOPPED" 'az returned something that is not a master key.'
  DOCTOR=$({
    curl_line header "x-functions-key: $key"
    curl_line header "accept: $1"
  } | curl --disable --silent --show-error --max-time 60 --write-out '\n%{http_code}' --config - "$APP_URL/api/doctor" 2>"$SCRATCH/failure") || DOCTOR=$'\n0'
  case $traced in *x*) set -x ;; esac
  DOCTOR_STATUS=${DOCTOR##*$'\n'} DOCTOR=${DOCTOR%$'\n'*}
}

# shellcheck disable=SC2034 # read by credential.sh
# read_proof: PROOF is what the doctor says of the token of the connection that tries a credential; fails until it has one.
read_proof() {
  get_doctor application/json
  if [ "$DOCTOR_STATUS" != 200 ]; then
    PROOF="it responded with status $DOCTOR_STATUS, not 200"
    return 1
  fi
  PROOF=$(printf '%s' "$DOCTOR" | PATH="$ROOT/node_modules/.bin:$PATH" node "$ROOT/scripts/read-doctor.ts" "$NEXT_CONNECTION" 2>&1)
}

# no, yes, or unknown
DOCTOR_FAILED=no
# shellcheck disable=SC2034 # read by deploy.sh
ask_doctor() {
  step doctor
  if [ "$WHAT_IF" = yes ]; then
    say 'would ask the relay to check itself (/api/doctor)'
    return
  fi
  local tries=1
  get_doctor text/plain
  # The app starts again after its settings change, and a new key takes a while.
  until [ "$DOCTOR_STATUS" = 200 ] || [ "$DOCTOR_STATUS" = 404 ] || [ "$tries" -ge "$RETRY_TIMES" ]; do
    tries=$((tries + 1))
    sleep "$RETRY_SECONDS"
    get_doctor text/plain
  done
  case $DOCTOR_STATUS in
    200) ;;
    404)
      say 'this version of the relay has no doctor'
      return
      ;;
    *)
      DOCTOR_FAILED=unknown
      warn "$APP_URL/api/doctor responded with status $DOCTOR_STATUS, not 200. $(head -c 300 "$SCRATCH/failure")"
      return
      ;;
  esac
  printf '%s\n' "$DOCTOR" | sed 's/^/   /'
  get_doctor application/json
  local status=0
  printf '%s' "$DOCTOR" | PATH="$ROOT/node_modules/.bin:$PATH" node "$ROOT/scripts/read-doctor.ts" >/dev/null 2>"$SCRATCH/node" || status=$?
  case $DOCTOR_STATUS:$status in
    200:0) ;;
    # The report was read where nothing complained.
    200:1) if [ -s "$SCRATCH/node" ]; then doctor_is_unread; else DOCTOR_FAILED=yes; fi ;;
    *) doctor_is_unread ;;
  esac
}

# shellcheck disable=SC2034 # read by deploy.sh
doctor_is_unread() {
  DOCTOR_FAILED=unknown
  warn "whether a check failed could not be read (status $DOCTOR_STATUS). $(tail -n 4 "$SCRATCH/node")"
}
