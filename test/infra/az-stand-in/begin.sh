# shellcheck shell=bash
# What every stand-in does first: records the call, and fails where the test wants it to. Sourced.
# STATE is the folder with everything these pretend; one call is one line, its arguments parted by U+001F.

# What a test switches on for the scripts would show these stand-ins too, which have the secrets in their text.
set +x +a +o history

tool=${0##*/}
printf '%s' "$tool" >>"$STATE/calls"
for argument in "$@"; do printf '\037%s' "$argument" >>"$STATE/calls"; done
printf '\n' >>"$STATE/calls"

number=$(($(<"$STATE/count") + 1))
printf '%s' "$number" >"$STATE/count"

fail() {
  printf 'ERROR: %s\n' "$1" >&2
  exit "${2:-1}"
}

[ "$number" != "${FAIL_AT:-}" ] || fail "${FAIL_WITH:-(BadRequest) Something that does not pass by itself.}"

# Nothing may carry a secret to where others can read it: arguments and environments of any process. The bracket
# keeps grep from finding itself.
look_for_leaks() {
  grep -als 'c[A]nArY' /proc/[0-9]*/cmdline /proc/[0-9]*/environ >>"$STATE/leaks" || true
  [ "${AZURE_LOGGING_ENABLE_LOG_FILE:-}" = no ] || [ "$tool" = curl ] || echo 'az would log the answer to a file' >>"$STATE/leaks"
}
