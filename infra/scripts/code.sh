# shellcheck shell=bash
# The package, its way into the function app, and the proof that it runs. Sourced by deploy.sh.

# PACKAGE, VERSION and FUNCTIONS of what is to run.
prepare_package() {
  [ -z "${VERSION:-}" ] || return 0
  local unzipped=''
  if [ -n "$PACKAGE" ]; then
    unzipped=$SCRATCH/package
    command -v unzip >/dev/null || stop "$STOPPED" 'unzip is not installed. It reads the version of the package.'
    mkdir -p "$unzipped"
    unzip -q "$PACKAGE" -d "$unzipped" || stop "$STOPPED" "$PACKAGE cannot be unzipped." 'Build it again: npm ci && npm run package'
  else
    PACKAGE=$ROOT/dist/graph-mail-relay.zip
    say 'building the package (npm run package) ...'
    run_npm
  fi
  VERSION=$(sed -n '/"version"/{s/.*"version": *"\([^"]*\)".*/\1/p;q;}' "${unzipped:-$ROOT}/package.json")
  # Node as pinned by the project, where it is installed: older ones cannot run TypeScript.
  FUNCTIONS=$(PATH="$ROOT/node_modules/.bin:$PATH" node "$ROOT/scripts/list-functions.ts" ${unzipped:+"$unzipped"}) ||
    stop "$STOPPED" 'the functions of the package cannot be listed.' 'Run npm ci, then the same command again.'
  [[ -n $VERSION && -n $FUNCTIONS ]] || stop "$STOPPED" "$PACKAGE has no version or no functions."
}

# npm writes the second file whenever it installs: an older one is from before an upgrade of the sources.
is_installed() {
  [ -d "$ROOT/node_modules" ] && ! [ "$ROOT/package-lock.json" -nt "$ROOT/node_modules/.package-lock.json" ]
}

run_npm() {
  {
    { is_installed || npm ci --prefix "$ROOT"; } && npm run package --prefix "$ROOT"
  } >"$SCRATCH/npm" 2>&1 ||
    stop "$STOPPED" 'the package cannot be built.' "$(tail -n 20 "$SCRATCH/npm")" \
      'Or deploy a package that was built elsewhere: --package graph-mail-relay.zip'
}

sha256_of() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

# Names as the app registered them, one per line, sorted. Those of the queues of callers follow from a setting of the app, and the
# package does not know it.
list_functions() {
  must 'list the functions of the app' functionapp function list --resource-group "$RESOURCE_GROUP" --name "$APP" \
    "${SUBSCRIPTION[@]}" --query '[].name' --output tsv
  # az writes <app>/<function>.
  REGISTERED=$(printf '%s\n' "$ANSWER" | sed -e 's|.*/||' -e '/^deliverMail_/d' -e '/^holdMail_/d' | LC_ALL=C sort)
}

is_deployed() {
  if ! ask group show --name "$RESOURCE_GROUP" "${SUBSCRIPTION[@]}" --query "tags.\"$PACKAGE_TAG\" || '-'" --output tsv; then
    ! lacks_rights || return 1
    may_pass || failed 'read which package is deployed'
    must 'read which package is deployed' group show --name "$RESOURCE_GROUP" "${SUBSCRIPTION[@]}" \
      --query "tags.\"$PACKAGE_TAG\" || '-'" --output tsv
  fi
  [ "$ANSWER" = "$1" ] || return 1
  list_functions
  [ "$REGISTERED" = "$FUNCTIONS" ]
}

ensure_code() {
  step code
  if [ "$WHAT_IF" = yes ]; then
    say 'would build the package and deploy it, unless the same one is deployed'
    return
  fi
  prepare_package
  local sha
  sha=$(sha256_of "$PACKAGE")
  if [ "$REDEPLOY" = no ] && is_deployed "$sha"; then
    say "this package, version $VERSION, is deployed (deploy it again: --redeploy)"
    return
  fi
  say "deploying version $VERSION ..."
  # The identity of the app has just got its role on the container of packages.
  must_once_granted 'deploy the package' functionapp deployment source config-zip --resource-group "$RESOURCE_GROUP" \
    --name "$APP" "${SUBSCRIPTION[@]}" --src "$PACKAGE" --build-remote false --output none
  remove_injected_setting
  record_package "$sha"
}

# Website Contributor is enough to deploy, and may not write tags: the code runs all the same.
record_package() {
  local tag=(tag update --resource-id "/subscriptions/$SUBSCRIPTION_ID/resourceGroups/$RESOURCE_GROUP" --operation Merge
    --tags "$PACKAGE_TAG=$1" --output none)
  ! ask "${tag[@]}" || return 0
  if lacks_rights; then
    warn 'you are not allowed to record on the resource group which package is deployed, so the next run deploys it again.'
    warn 'The role Tag Contributor on the resource group allows it.'
    return 0
  fi
  may_pass || failed 'record which package is deployed'
  must 'record which package is deployed' "${tag[@]}"
}

# config-zip has been seen to add it, and then the host takes a key that the storage account refuses
# (azure-functions-host issue 11796).
remove_injected_setting() {
  must 'read the app settings' functionapp config appsettings list --resource-group "$RESOURCE_GROUP" --name "$APP" \
    "${SUBSCRIPTION[@]}" --query "[?name=='AzureWebJobsStorage'].name" --output tsv
  [ -n "$ANSWER" ] || return 0
  must 'remove the app setting AzureWebJobsStorage' functionapp config appsettings delete \
    --resource-group "$RESOURCE_GROUP" --name "$APP" "${SUBSCRIPTION[@]}" --setting-names AzureWebJobsStorage --output none
  say 'removed the app setting AzureWebJobsStorage, which the deployment added'
}

smoke_test() {
  step smoke-test
  if [ "$WHAT_IF" = yes ]; then
    say 'would call /api/health and compare the list of functions'
    return
  fi
  prepare_package
  local tries=1 health=''
  until health=$(curl --disable --silent --show-error --max-time 30 "$APP_URL/api/health" 2>"$SCRATCH/failure") && is_up "$health"; do
    [ "$tries" -lt "$RETRY_TIMES" ] ||
      stop "$STOPPED" "$APP_URL/api/health does not report version $VERSION." "It returned: ${health:0:300}" \
        "$(head -c 300 "$SCRATCH/failure")" \
        "Look at the log (portal > $APP > Logs: traces | order by timestamp desc), or deploy again: --redeploy"
    [ "$tries" -gt 1 ] || say 'waiting for the app to start ...'
    tries=$((tries + 1))
    sleep "$RETRY_SECONDS"
  done
  say "up, version $VERSION"
  compare_functions
}

is_up() {
  case $1 in *'"status":"up"'*) ;; *) return 1 ;; esac
  case $1 in *"\"version\":\"$VERSION\""*) ;; *) return 1 ;; esac
}

compare_functions() {
  local tries=1
  list_functions
  # The platform learns of the functions some time after the app does.
  until [ "$REGISTERED" = "$FUNCTIONS" ]; do
    [ "$tries" -lt "$RETRY_TIMES" ] ||
      stop "$STOPPED" 'the app does not have the functions of the package.' \
        "expected: $(printf '%s' "$FUNCTIONS" | tr '\n' ' ')" "received: $(printf '%s' "$REGISTERED" | tr '\n' ' ')" \
        'Deploy the package again: the same command with --redeploy'
    tries=$((tries + 1))
    sleep "$RETRY_SECONDS"
    list_functions
  done
  say "functions: $(printf '%s' "$FUNCTIONS" | tr '\n' ' ')"
}
