#!/usr/bin/env bash
# Creates a client secret in Entra and stores it in the vault, unless a valid one is stored. The value goes from
# one az to the other through this shell's memory and a pipe: it is never an argument, a file, an exported
# variable or output, and tracing and automatic export are off.
{ set +x +a; } 2>/dev/null
set -euo pipefail

# With CDPATH, cd goes elsewhere and prints where.
unset CDPATH
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=infra/scripts/say.sh
source "$HERE/say.sh"

# Built-in role, the narrowest that may write secrets.
# shellcheck disable=SC2034 # read by vault-role.sh
readonly ROLE=b86a8fe4-44ce-4948-aee5-eccb2c155cd7 ROLE_NAME='Key Vault Secrets Officer'
readonly BORROWED='graph-mail-relay: temporary role to store the client secret'
# When the relay begins to warn loudly (30 of its 60, 30, 14 ... days).
readonly NEARLY_EXPIRED_DAYS=30

usage() {
  cat <<'HELP'
Usage: infra/scripts/store-client-secret.sh --vault-id ID --client-id GUID [options]

Creates a client secret of the app registration and stores it in the vault, unless a valid one is stored. The
script never prints the secret and writes it only to the vault.

      --vault-id ID        resource id of the Key Vault:  az keyvault show --name <vault> --query id
      --client-id GUID     Application (client) ID of the app registration
      --secret-name NAME   name in the vault (default graph-client-secret)
      --days N             days for which the secret is valid, 1 to 730 (default 180)
      --renew              create a new one even if the old one is valid; the old one stays valid until you
                           remove it
  -h, --help

Exit status: 0 done or nothing to do, 1 stopped, 2 wrong usage, 3 rights missing.
HELP
}

VAULT_ID='' CLIENT_ID='' SECRET_NAME=graph-client-secret DAYS=180 RENEW=no

while [ $# -gt 0 ]; do
  case $1 in
    --vault-id | --client-id | --secret-name | --days)
      expect_value "$1" "${2:-}"
      case $1 in
        --vault-id) VAULT_ID=$2 ;;
        --client-id) CLIENT_ID=$2 ;;
        --secret-name) SECRET_NAME=$2 ;;
        --days) DAYS=$2 ;;
      esac
      shift 2
      ;;
    --renew) RENEW=yes && shift ;;
    -h | --help) usage && exit 0 ;;
    *) wrong_usage "'$1' is not an option." ;;
  esac
done
[[ $VAULT_ID =~ ^/subscriptions/([^/]+)/resource[Gg]roups/([^/]+)/providers/[Mm]icrosoft\.[Kk]ey[Vv]ault/vaults/([A-Za-z0-9-]+)$ ]] ||
  wrong_usage "--vault-id expects /subscriptions/.../providers/Microsoft.KeyVault/vaults/<name>, not '$VAULT_ID'."
SUBSCRIPTION_ID=${BASH_REMATCH[1]} RESOURCE_GROUP=${BASH_REMATCH[2]} VAULT=${BASH_REMATCH[3]}
[[ $CLIENT_ID =~ ^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$ ]] ||
  wrong_usage "--client-id expects a GUID, not '$CLIENT_ID'."
[[ $SECRET_NAME =~ ^[0-9A-Za-z-]{1,127}$ ]] ||
  wrong_usage "--secret-name expects letters, digits and dashes, not '$SECRET_NAME'."
[[ $DAYS =~ ^([1-9]|[1-9][0-9]|[1-6][0-9][0-9]|7[0-2][0-9]|730)$ ]] ||
  wrong_usage "--days expects a whole number from 1 to 730, not '$DAYS'."

# shellcheck source=infra/scripts/az-call.sh
source "$HERE/az-call.sh"
# shellcheck source=infra/scripts/who-can.sh
source "$HERE/who-can.sh"
# shellcheck source=infra/scripts/vault-role.sh
source "$HERE/vault-role.sh"
# shellcheck disable=SC2034 # read by stop
STEP=credential
# With file logging configured az writes every request and answer to ~/.azure/logs, the secret among them.
export AZURE_LOGGING_ENABLE_LOG_FILE=no

NOW=$(date +%s)
# GNU and BSD spell it differently.
utc() { date -u -d "@$1" "$2" 2>/dev/null || date -u -r "$1" "$2"; }
day_of() { utc "$1" +%Y-%m-%d; }
# az writes 2027-05-21T00:00:00+00:00, Entra 2027-05-21T00:00:00Z.
epoch_of() {
  local moment=${1:0:19}
  date -u -d "${moment}Z" +%s 2>/dev/null || date -u -j -f %Y-%m-%dT%H:%M:%S "$moment" +%s 2>/dev/null || echo 0
}

CREDENTIALS=''
list_credentials() {
  must 'list the client secrets of the app registration' ad app credential list --id "$CLIENT_ID" \
    --query "[].[keyId, displayName || '-', endDateTime]" --output tsv
  CREDENTIALS=$ANSWER
}

# judge ENABLED EXPIRY_EPOCH KEY_ID: says so and succeeds where the stored secret can be used.
judge() {
  local enabled=$1 expiry=$2 key_id=$3
  if [ "$enabled" != yes ]; then
    say 'the stored client secret is disabled'
    return 1
  fi
  if [ "$expiry" != - ] && [ "$expiry" -le "$NOW" ]; then
    say "the stored client secret expired on $(day_of "$expiry")"
    return 1
  fi
  list_credentials
  if [ "$key_id" != - ] && ! matches $'\n'"$CREDENTIALS" $'\n'"$key_id"; then
    say 'the app registration no longer has the stored client secret'
    return 1
  fi
  if [ "$expiry" = - ]; then
    warn "the stored client secret '$SECRET_NAME' has no expiry date, so the relay cannot warn you. Create one that has: --renew"
  elif [ "$expiry" -le $((NOW + NEARLY_EXPIRED_DAYS * 86400)) ]; then
    warn "the stored client secret expires on $(day_of "$expiry"). Renew it: --renew"
  else
    say "a valid client secret is stored: '$SECRET_NAME' in $VAULT, until $(day_of "$expiry")"
  fi
}

# Earlier versions of the management API end on 27 February 2027.
readonly VAULT_API=2026-02-01

# By the management API of the cloud that az is set to. It shows dates but no values: a check needs no right to read secrets.
is_stored() {
  if ! ask rest --method get \
    --url "$VAULT_ID/secrets/$SECRET_NAME?api-version=$VAULT_API" \
    --query "[properties.attributes.enabled && 'yes' || 'no', properties.attributes.exp || '-', tags.\"entra-key-id\" || tags.keyId || '-']" --output tsv; then
    is_absent || failed 'find the stored client secret'
    return 1
  fi
  judge "$(line_of_answer 1)" "$(line_of_answer 2)" "$(line_of_answer 3)"
}

SEE_SECRETS=(keyvault secret list --vault-name "$VAULT"
  --query "[?ends_with(id, '/secrets/$SECRET_NAME')].[attributes.enabled && 'yes' || 'no', attributes.expires || '-', tags.\"entra-key-id\" || tags.keyId || '-']"
  --output tsv)

# One name per secret, so that it can be found again: az does not tell the key id of what it made.
LABEL="graph-mail-relay $VAULT"
NEW_NAME="$LABEL $(utc "$NOW" +%Y-%m-%dT%H:%M:%SZ)"
UNSTORED=no

find_new_key() {
  ask ad app credential list --id "$CLIENT_ID" --query "[?displayName=='$NEW_NAME'].keyId" --output tsv
}

# A secret that nobody holds is of no use to anybody but a thief.
withdraw_unstored() {
  local status=$? key_id
  if [ "$UNSTORED" = yes ]; then
    if find_new_key && key_id=$ANSWER && { [ -z "$key_id" ] || ask ad app credential delete --id "$CLIENT_ID" --key-id "$key_id"; }; then
      [ -z "$key_id" ] || say 'the new client secret could not be stored and was removed from Entra'
    else
      warn "Entra may still have a client secret '$NEW_NAME' that is not stored in the vault. Remove it:"
      warn "az ad app credential list --id $CLIENT_ID; az ad app credential delete --id $CLIENT_ID --key-id <its keyId>"
    fi
  fi
  [ "$status" -eq 0 ] || [ "$HAS_BORROWED" = no ] ||
    warn "you still have the temporary role on $VAULT. The next successful run removes it."
  rm -rf "$SCRATCH"
}

make_and_store() {
  local secret key_id expires tries=1
  expires=$(utc $((NOW + DAYS * 86400)) +%Y-%m-%dT%H:%M:%SZ)
  UNSTORED=yes
  # Not tried again by itself: a call that timed out may have made one.
  ask ad app credential reset --id "$CLIENT_ID" --append --display-name "$NEW_NAME" --end-date "$expires" \
    --query password --output tsv || refused_by_policy || failed 'create a client secret for the app registration'
  secret=$ANSWER ANSWER=''
  # What Entra makes: 16 to 64 of these. Anything else would be a message, and must not become the secret.
  [[ $secret =~ ^[A-Za-z0-9._~-]{16,100}$ ]] ||
    stop "$STOPPED" 'az returned something that is not a client secret.' 'Run the same command again. If this repeats, report it.'
  until find_new_key && [ -n "$ANSWER" ]; do
    # Directory reads lag behind writes.
    if [ -n "$FAILURE" ] || [ "$tries" -ge "$RETRY_TIMES" ]; then failed 'find the key id of the new client secret'; fi
    tries=$((tries + 1))
    sleep "$RETRY_SECONDS"
  done
  key_id=$ANSWER tries=1
  until store "$secret" "$key_id" "$expires"; do
    if { ! may_pass && ! lacks_rights; } || [ "$tries" -ge "$RETRY_TIMES" ]; then failed "store the client secret in $VAULT"; fi
    [ "$tries" -gt 1 ] || say 'waiting for a role assignment to take effect (store the client secret) ...'
    tries=$((tries + 1))
    sleep "$RETRY_SECONDS"
  done
  UNSTORED=no
  say "a new client secret is stored: '$SECRET_NAME' in $VAULT, until ${expires:0:10}"
  tell_older "$key_id"
}

# Policies for applications can forbid secrets or limit their life (Graph: tenant app management policy).
refused_by_policy() {
  if failed_with 'lifetime exceeds|CredentialLifetime'; then
    stop "$STOPPED" "a policy of the tenant does not allow a client secret to be valid for $DAYS days." \
      'Request fewer days, for example: --secret-days 90 (deploy.sh) or --days 90.'
  elif failed_with 'CredentialTypeNotAllowed|not allowed as per assigned policy|PasswordCredentials? (are|is) blocked'; then
    stop "$STOPPED" 'a policy of the tenant forbids client secrets.' \
      'Ask an administrator to exempt the app registration: Entra admin center > Enterprise apps > Application policies.'
  fi
  return 1
}

# printf is a builtin: no process has the value among its arguments.
store() {
  printf '%s' "$1" | {
    ask keyvault secret set --vault-name "$VAULT" --name "$SECRET_NAME" --file /dev/stdin --encoding utf-8 \
      --expires "$3" --tags "entra-key-id=$2" made-by=deploy.sh --output none
  } || {
    # The pipe had its own FAILURE; what az complained of is still in the scratch folder.
    FAILURE=$(cat "$SCRATCH/failure")
    return 1
  }
}

tell_older() {
  local key_id name until
  list_credentials
  while IFS=$'\t' read -r key_id name until; do
    case $name in
      "$LABEL "*)
        [ "$key_id" = "$1" ] || {
          warn "an older client secret of this relay is valid until ${until:0:10}. Remove it a day after the relay has sent with the new one:"
          warn "az ad app credential delete --id $CLIENT_ID --key-id $key_id"
        }
        ;;
    esac
  done < <(printf '%s\n' "$CREDENTIALS")
}

trap withdraw_unstored EXIT
trap 'exit 130' INT TERM HUP

if [ "$RENEW" = no ] && is_stored; then
  give_back_role
  exit 0
fi
open_vault "list the secrets of $VAULT" "${SEE_SECRETS[@]}" || failed "list the secrets of $VAULT"
# The management API may be behind; the vault itself is not.
if [ "$RENEW" = no ] && [ -n "$ANSWER" ]; then
  IFS=$'\t' read -r enabled expires key_id < <(printf '%s\n' "$ANSWER")
  [ "$expires" = - ] || expires=$(epoch_of "$expires")
  if judge "$enabled" "$expires" "$key_id"; then
    give_back_role
    exit 0
  fi
fi
make_and_store
give_back_role
