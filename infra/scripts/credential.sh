# shellcheck shell=bash
# How the relay proves which application it is: what each kind of credential needs, and the way from one to the next. Sourced by deploy.sh.

readonly CERTIFICATE_NAME=graph-client-certificate
# The connection that tries a credential before the relay uses it. It sends for nobody: .invalid is no domain (RFC 2606).
# shellcheck disable=SC2034 # read by doctor.sh
readonly NEXT_SETTING=GRAPH_CONNECTION_NEXT NEXT_CONNECTION=next NEXT_SENDER=next@relay.invalid

# IDENTITY_CLIENT_ID and IDENTITY_PRINCIPAL_ID: the managed identity of the app, where a deployment in this run has not told them.
find_identity() {
  [ -z "$IDENTITY_PRINCIPAL_ID" ] || return 0
  must 'find the managed identity of the app' identity list --resource-group "$RESOURCE_GROUP" "${SUBSCRIPTION[@]}" \
    --query "[?tags.\"graph-mail-relay\"=='$NAME'] | [0].[clientId, principalId]" --output tsv
  IDENTITY_CLIENT_ID=$(line_of_answer 1) IDENTITY_PRINCIPAL_ID=$(line_of_answer 2)
  [ -n "$IDENTITY_PRINCIPAL_ID" ] || stop "$STOPPED" "$RESOURCE_GROUP has no managed identity of the relay '$NAME'." \
    'Run the step infrastructure first.'
}
IDENTITY_CLIENT_ID='' IDENTITY_PRINCIPAL_ID='' SENDING_CLIENT_ID='' SENDING_PRINCIPAL_ID=''

# Whom Entra and Exchange allow to send: SENDING_CLIENT_ID and SENDING_PRINCIPAL_ID.
find_sending_application() {
  SENDING_CLIENT_ID=$CLIENT_ID SENDING_PRINCIPAL_ID=$PRINCIPAL_ID
  [ "$CREDENTIAL" = managed-identity ] || return 0
  if [ "$WHAT_IF" = yes ] && [ "$RELAY_EXISTS" = no ]; then
    SENDING_CLIENT_ID=$NOBODY SENDING_PRINCIPAL_ID=$NOBODY
    return 0
  fi
  find_identity
  SENDING_CLIENT_ID=$IDENTITY_CLIENT_ID SENDING_PRINCIPAL_ID=$IDENTITY_PRINCIPAL_ID
}

# choose_credential: the one that was asked for, else the one that the relay uses. MOVES says whether a relay that runs changes it.
choose_credential() {
  CREDENTIAL=${GIVEN_CREDENTIAL:-${RUNS_ON:-client-secret}}
  case $RENEW_SECRET:$CREDENTIAL in
    yes:managed-identity | yes:federated)
      stop "$WRONG_USAGE" "the relay uses the credential $CREDENTIAL, which has nothing to renew." 'Omit --renew-secret.'
      ;;
  esac
  if [ -n "$FOUND_APP" ] && [ "$CREDENTIAL" != "${RUNS_ON:-client-secret}" ]; then
    MOVES=yes
    say "the relay uses the credential ${RUNS_ON:-client-secret}, and is to use $CREDENTIAL"
  elif [ -z "$FOUND_APP" ] && [ "$CREDENTIAL" != client-secret ]; then
    # Nothing can be tried before there is an app.
    SETTINGS+=("GRAPH_CREDENTIAL=$CREDENTIAL")
  fi
}
MOVES=no RUNS_ON=''

ensure_credential() {
  step credential
  case $CREDENTIAL in
    client-secret) ensure_secret ;;
    certificate) ensure_certificate ;;
    federated) ensure_federation ;;
    managed-identity)
      say "the managed identity of the app sends: client id $SENDING_CLIENT_ID, object id $SENDING_PRINCIPAL_ID"
      ;;
  esac
}

ensure_secret() {
  if [ "$WHAT_IF" = yes ]; then
    say 'would create a client secret and store it in the vault, unless a valid one is stored'
    return
  fi
  local options=(--vault-id "$VAULT_ID" --client-id "$CLIENT_ID" --secret-name "$SECRET_NAME" --days "$SECRET_DAYS")
  [ "$RENEW_SECRET" = no ] || options+=(--renew)
  # A process of its own, so that the secret is never in the memory of this one.
  run_script store-client-secret.sh "${options[@]}"
}

ensure_certificate() {
  if [ "$WHAT_IF" = yes ]; then
    say 'would let the vault create a certificate and add it to the app registration, unless a valid one is there'
    return
  fi
  local options=(--vault-id "$VAULT_ID" --client-id "$CLIENT_ID" --certificate-name "$CERTIFICATE_NAME")
  [ "$RENEW_SECRET" = no ] || options+=(--renew)
  run_script store-certificate.sh "${options[@]}"
}

run_script() {
  local script=$1 status=0
  shift
  RETRY_SECONDS=$RETRY_SECONDS RETRY_TIMES=$RETRY_TIMES "$INFRA/scripts/$script" "$@" || status=$?
  [ "$status" -eq 0 ] || exit "$status"
}

# What Entra says in the tokens of managed identities. https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
set_issuer_and_audience() {
  ISSUER=$LOGIN/$TENANT_ID/v2.0 AUDIENCE=api://AzureADTokenExchange
  case $CLOUD in
    AzureUSGovernment) AUDIENCE=api://AzureADTokenExchangeUSGov ;;
    # Tokens there have the second name of Entra.
    AzureChinaCloud) ISSUER=https://login.partner.microsoftonline.cn/$TENANT_ID/v2.0 AUDIENCE=api://AzureADTokenExchangeChina ;;
  esac
}

ensure_federation() {
  if [ "$WHAT_IF" = yes ]; then
    say 'would let the managed identity of the app act as the app registration (federated credential)'
    return
  fi
  find_identity
  set_issuer_and_audience
  must 'list the federated credentials of the app registration' ad app federated-credential list --id "$CLIENT_ID" \
    --query "[?issuer=='$ISSUER' && subject=='$IDENTITY_PRINCIPAL_ID' && contains(audiences, '$AUDIENCE')].name" --output tsv
  if [ -n "$ANSWER" ]; then
    say "the managed identity of the app can act as the app registration (federated credential '$(line_of_answer 1)')"
    return
  fi
  # The name of the subject in it: it cannot be changed, and another identity gets another credential.
  printf '{"name":"relay-%s","issuer":"%s","subject":"%s","audiences":["%s"],"description":"Managed identity of the relay"}' \
    "$IDENTITY_PRINCIPAL_ID" "$ISSUER" "$IDENTITY_PRINCIPAL_ID" "$AUDIENCE" >"$SCRATCH/federation.json"
  must 'add the federated credential' ad app federated-credential create --id "$CLIENT_ID" \
    --parameters "@$SCRATCH/federation.json" --output none
  say "the managed identity of the app can now act as the app registration (federated credential 'relay-$IDENTITY_PRINCIPAL_ID')"
}

# set_settings NAME=VALUE...: each call restarts the app, so what belongs together goes into one. An empty value is no value for the relay.
set_settings() {
  must 'change the app settings' functionapp config appsettings set --resource-group "$RESOURCE_GROUP" --name "$APP" \
    "${SUBSCRIPTION[@]}" --settings "$@" --output none
}

next_connection() {
  printf '{"senders":["%s"],"tenantId":"%s","clientId":"%s","credential":"%s"' \
    "$NEXT_SENDER" "$TENANT_ID" "$SENDING_CLIENT_ID" "$CREDENTIAL"
  case $CREDENTIAL in
    client-secret) printf ',"secretName":"%s"' "$SECRET_NAME" ;;
    certificate) printf ',"certificateName":"%s"' "$CERTIFICATE_NAME" ;;
  esac
  printf '}'
}

# Other rights, which nobody can prove without sending: Exchange takes up to two hours.
check_identity_may_send() {
  [ "$CREDENTIAL" = managed-identity ] && [ "$EXCHANGE_ALLOWS" = no ] || return 0
  must 'read what the managed identity is allowed' rest --method get \
    --url "$GRAPH/v1.0/servicePrincipals/$SENDING_PRINCIPAL_ID/appRoleAssignments?\$top=999" --query 'value[].appRoleId' --output tsv
  has_line "$ANSWER" "$(permission_id Mail.Send)" && return 0
  say "the relay keeps the credential ${RUNS_ON:-client-secret} until its managed identity is allowed to send."
  say 'Two hours after the Exchange administrator has allowed it (below), run the same command with --exchange-allows.'
  return 1
}

# The relay tries the new credential on a connection of its own, while it sends with the old one. Only what Entra accepts is then used.
move_credential() {
  [ "$MOVES" = yes ] || return 0
  step move
  if [ "$WHAT_IF" = yes ]; then
    say "would let the relay try the credential $CREDENTIAL beside ${RUNS_ON:-client-secret}, and use it if Entra accepts it"
    return 0
  fi
  check_identity_may_send || return 0
  set_settings "$NEXT_SETTING=$(next_connection)"
  local tries=1 status=0
  until read_proof; do
    if [ "$tries" -ge "$RETRY_TIMES" ]; then
      set_settings "$NEXT_SETTING="
      stop "$STOPPED" "Entra does not accept the credential $CREDENTIAL yet. The relay still uses ${RUNS_ON:-client-secret}." \
        "The doctor says: $PROOF" 'Fix it, then run the same command again: it continues here.'
    fi
    [ "$tries" -gt 1 ] || say 'waiting until the relay has a token with the new credential ...'
    tries=$((tries + 1))
    sleep "$RETRY_SECONDS"
  done
  say "$PROOF"
  local settings=("GRAPH_CREDENTIAL=$CREDENTIAL" "$NEXT_SETTING=")
  [ "$CREDENTIAL" != certificate ] || settings+=("CLIENT_CERTIFICATE_NAME=$CERTIFICATE_NAME")
  set_settings "${settings[@]}"
  say "the relay now uses the credential $CREDENTIAL. ${RUNS_ON:-client-secret} still works: to return, --credential ${RUNS_ON:-client-secret}"
  say 'docs/credentials.md says how to remove what is not used any more, a week from now.'
}
