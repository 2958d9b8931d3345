#!/usr/bin/env bash
# Has the vault make a certificate, and registers its public part in Entra, unless both are there. The private key is made in the vault and
# never leaves it towards this machine.
set -euo pipefail
set +a

# With CDPATH, cd goes elsewhere and prints where.
unset CDPATH
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=infra/scripts/say.sh
source "$HERE/say.sh"

# Built-in role, the narrowest that can create certificates.
# shellcheck disable=SC2034 # read by vault-role.sh
readonly ROLE=a4417e6f-fecd-4de8-b567-7b0420556985 ROLE_NAME='Key Vault Certificates Officer'
readonly BORROWED='graph-mail-relay: temporary role to create the certificate'
# The vault renews at 80 % of the 12 months, which leaves 73 days: with more than that, no newer version waits to be registered.
readonly RENEWAL_DAYS=75
readonly POLICY='{"issuerParameters":{"name":"Self"},"keyProperties":{"keyType":"RSA","keySize":2048,"exportable":true,"reuseKey":false},"secretProperties":{"contentType":"application/x-pem-file"},"x509CertificateProperties":{"subject":"CN=graph-mail-relay","validityInMonths":12,"keyUsage":["digitalSignature"],"ekus":["1.3.6.1.5.5.7.3.2"]},"lifetimeActions":[{"action":{"actionType":"AutoRenew"},"trigger":{"lifetimePercentage":80}}]}'

usage() {
  cat <<'HELP'
Usage: infra/scripts/store-certificate.sh --vault-id ID --client-id GUID [options]

Lets the vault create a self-signed certificate for the relay (12 months; the vault renews it after 80 % of that time),
and adds its public part to the app registration. Run it again after the vault has renewed the certificate: the relay
uses the previous version until the app registration has the new one.

      --vault-id ID            resource id of the Key Vault:  az keyvault show --name <vault> --query id
      --client-id GUID         Application (client) ID of the app registration
      --certificate-name NAME  name in the vault (default graph-client-certificate)
      --renew                  create a new version even if the certificate is valid for long; the old one stays
                               valid until you remove it
  -h, --help

Exit status: 0 done or nothing to do, 1 stopped, 2 wrong usage, 3 rights missing.
HELP
}

VAULT_ID='' CLIENT_ID='' CERTIFICATE_NAME=graph-client-certificate RENEW=no

while [ $# -gt 0 ]; do
  case $1 in
    --vault-id | --client-id | --certificate-name)
      expect_value "$1" "${2:-}"
      case $1 in
        --vault-id) VAULT_ID=$2 ;;
        --client-id) CLIENT_ID=$2 ;;
        --certificate-name) CERTIFICATE_NAME=$2 ;;
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
# shellcheck disable=SC2034 # read by who-can.sh
SUBSCRIPTION_ID=${BASH_REMATCH[1]} RESOURCE_GROUP=${BASH_REMATCH[2]} VAULT=${BASH_REMATCH[3]}
[[ $CLIENT_ID =~ ^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$ ]] ||
  wrong_usage "--client-id expects a GUID, not '$CLIENT_ID'."
[[ $CERTIFICATE_NAME =~ ^[0-9A-Za-z-]{1,127}$ ]] ||
  wrong_usage "--certificate-name expects letters, digits and dashes, not '$CERTIFICATE_NAME'."

# shellcheck source=infra/scripts/az-call.sh
source "$HERE/az-call.sh"
# shellcheck source=infra/scripts/who-can.sh
source "$HERE/who-can.sh"
# shellcheck source=infra/scripts/vault-role.sh
source "$HERE/vault-role.sh"
# shellcheck disable=SC2034 # read by stop
STEP=credential

# utc_in DAYS: GNU and BSD spell it differently. Times of this form compare as text.
utc_in() {
  local moment=$(($(date +%s) + $1 * 86400))
  date -u -d "@$moment" +%Y-%m-%dT%H:%M:%S 2>/dev/null || date -u -r "$moment" +%Y-%m-%dT%H:%M:%S
}

# One name per version, so that it can be found again: the end is that of the thumbprint.
LABEL="graph-mail-relay $VAULT"
REGISTERED=''
list_registered() {
  must 'list the certificates of the app registration' ad app credential list --id "$CLIENT_ID" --cert \
    --query "[].[keyId, displayName || '-', endDateTime]" --output tsv
  REGISTERED=$ANSWER
}

# The one that the relay has used the longest into the future: nothing to do while it is valid for longer than the vault lets one grow old.
is_registered_for_long() {
  local key_id name until enough
  enough=$(utc_in "$RENEWAL_DAYS")
  while IFS=$'\t' read -r key_id name until; do
    case $name in "$LABEL "*) ;; *) continue ;; esac
    [[ ${until:0:19} > $enough ]] || continue
    say "the app registration has the certificate '$CERTIFICATE_NAME' of $VAULT, until ${until:0:10}"
    return 0
  done < <(printf '%s\n' "$REGISTERED")
  return 1
}

SEE_CERTIFICATE=(keyvault certificate show --vault-name "$VAULT" --name "$CERTIFICATE_NAME"
  --query "[attributes.enabled && 'yes' || 'no', attributes.expires || '-', x509ThumbprintHex || '-']" --output tsv)

# Takes what ANSWER says of the newest version; succeeds where it can be used.
read_certificate() {
  EXPIRES=$(line_of_answer 2) THUMBPRINT=$(line_of_answer 3)
  [ "$(line_of_answer 1)" = yes ] && [[ ${EXPIRES:0:19} > $(utc_in 0) ]]
}

create_certificate() {
  printf '%s' "$POLICY" >"$SCRATCH/policy.json"
  say "the vault creates the certificate '$CERTIFICATE_NAME' ..."
  ask keyvault certificate create --vault-name "$VAULT" --name "$CERTIFICATE_NAME" --policy "@$SCRATCH/policy.json" \
    --tags made-by=deploy.sh --output none || explain_creation
  must "read the new certificate" "${SEE_CERTIFICATE[@]}"
  read_certificate || stop "$STOPPED" "the vault has not issued the certificate '$CERTIFICATE_NAME' yet." \
    "Look at it: az keyvault certificate pending show --vault-name $VAULT --name $CERTIFICATE_NAME" \
    'Then run the same command again: it continues here.'
}

explain_creation() {
  ! failed_with 'ObjectIsDeletedButRecoverable|deleted but recoverable' ||
    stop "$STOPPED" "the vault $VAULT keeps a deleted certificate '$CERTIFICATE_NAME' for recovery." \
      "Restore it:              az keyvault certificate recover --vault-name $VAULT --name $CERTIFICATE_NAME" \
      "Or delete it permanently: az keyvault certificate purge --vault-name $VAULT --name $CERTIFICATE_NAME" \
      'Then run the same command again: it continues here.'
  failed "create the certificate in $VAULT"
}

# Policies for applications can forbid certificates or limit their life (Graph: tenant app management policy).
refused_by_policy() {
  failed_with 'lifetime exceeds|CredentialLifetime|KeyCredentials?(Lifetime)?.*(policy|allowed)|CredentialTypeNotAllowed|not allowed as per assigned policy' || return 1
  stop "$STOPPED" 'a policy of the tenant does not allow this certificate at the app registration.' "az reported: $(printf '%s' "$FAILURE" | cut -c 1-300)" \
    'Ask an administrator to exempt the app registration: Entra admin center > Enterprise apps > Application policies.' \
    'Or use a credential without a key: --credential federated (deploy.sh).'
}

register() {
  local name="$LABEL ${THUMBPRINT:0:16}"
  if [[ $'\n'$REGISTERED == *$'\t'"$name"$'\t'* ]]; then
    say "the app registration has the certificate '$CERTIFICATE_NAME', until ${EXPIRES:0:10}"
    return 0
  fi
  # Appended: what the relay uses until it knows this one stays. az reads the public part from the vault.
  ask ad app credential reset --id "$CLIENT_ID" --append --cert "$CERTIFICATE_NAME" --keyvault "$VAULT" --display-name "$name" \
    --output none || refused_by_policy || failed 'add the certificate to the app registration'
  say "the app registration has the new certificate '$CERTIFICATE_NAME' of $VAULT, until ${EXPIRES:0:10}"
  tell_older "$name"
}

# tell_older NAME: certificates of this relay beside the one of this name.
tell_older() {
  local key_id name until
  while IFS=$'\t' read -r key_id name until; do
    case $name in
      "$1") ;;
      "$LABEL "*)
        warn "an older certificate of this relay is valid until ${until:0:10}. Remove it a day after the relay has sent with the new one:"
        warn "az ad app credential delete --id $CLIENT_ID --key-id $key_id --cert"
        ;;
    esac
  done < <(printf '%s\n' "$REGISTERED")
}

tell_role() {
  local status=$?
  [ "$status" -eq 0 ] || [ "$HAS_BORROWED" = no ] ||
    warn "you still have the temporary role on $VAULT. The next successful run removes it."
  rm -rf "$SCRATCH"
}
trap tell_role EXIT
trap 'exit 130' INT TERM HUP

EXPIRES='' THUMBPRINT=''
list_registered
if [ "$RENEW" = no ] && is_registered_for_long; then
  give_back_role
  exit 0
fi
if open_vault "read the certificate in $VAULT" "${SEE_CERTIFICATE[@]}"; then
  if [ "$RENEW" = yes ] || ! read_certificate; then create_certificate; fi
else
  is_absent || failed "read the certificate in $VAULT"
  create_certificate
fi
register
give_back_role
