# shellcheck shell=bash
# What the scripts say, and how they stop. Sourced.

# Exit status, so that a pipeline can tell them apart.
# shellcheck disable=SC2034 # read by those who source this
readonly STOPPED=1 WRONG_USAGE=2 RIGHTS_MISSING=3 DOCTOR_FOUND=4

SCRIPT_NAME=$(basename "$0")
STEP=''

step() {
  STEP=$1
  printf '\n== %s\n' "$1"
}

say() { printf '   %s\n' "$*"; }

# Goes to the error stream, where a log of the run shows it apart from the story.
warn() { printf '   ! %s\n' "$*" >&2; }

# shell_word TEXT: as a command line needs it; the name of a resource group may have parentheses.
shell_word() { printf '%q' "$1"; }

# expect_value OPTION VALUE: another option in the place of a value is a value forgotten.
expect_value() {
  [ -n "$2" ] || wrong_usage "$1 expects a value."
  case $2 in --*) wrong_usage "$1 expects a value, not the option '$2'." ;; esac
  case $2 in *[[:cntrl:]]*) wrong_usage "the value of $1 contains a control character." ;; esac
}

# is_group_name TEXT: as Azure takes it: letters and digits of any script, and ._()- with no full stop at the end.
is_group_name() {
  local LC_ALL=C
  local ascii=${1//[^ -~]/}
  [[ -n $1 && $ascii =~ ^[A-Za-z0-9._()-]*$ && $1 != *. && ${#1} -le 360 ]]
}

wrong_usage() {
  printf '%s: %s\nSee %s --help\n' "$SCRIPT_NAME" "$1" "$SCRIPT_NAME" >&2
  exit "$WRONG_USAGE"
}

# stop STATUS SENTENCE [MORE...]: every line after the first says what to do.
stop() {
  local status=$1
  shift
  printf '\n%s stopped%s: %s\n' "$SCRIPT_NAME" "${STEP:+ at step $STEP}" "$1" >&2
  shift
  [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
  exit "$status"
}
