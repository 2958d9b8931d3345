# shellcheck shell=bash
# The relay renews its own client secret: the three rights and the setting that it needs, and their end. Sourced by deploy.sh.

readonly OWNED_BY=Application.ReadWrite.OwnedBy
readonly ROTATION_ROLE=b86a8fe4-44ce-4948-aee5-eccb2c155cd7

find_owned_by_grant() {
  must 'read the granted permissions' rest --method get \
    --url "$GRAPH/v1.0/servicePrincipals/$PRINCIPAL_ID/appRoleAssignments?\$top=999" \
    --query "value[?appRoleId=='$(permission_id "$OWNED_BY")'].id" --output tsv
}

find_ownership() {
  must 'list the owners of the app registration' ad app owner list --id "$CLIENT_ID" --query "[?id=='$PRINCIPAL_ID'].id" --output tsv
}

find_secret_role() {
  must 'list the roles on the client secret' role assignment list --scope "$VAULT_ID/secrets/$SECRET_NAME" \
    --query "[?principalId=='$IDENTITY_PRINCIPAL_ID' && ends_with(roleDefinitionId, '$ROTATION_ROLE') && ends_with(scope, '/secrets/$SECRET_NAME')].id" --output tsv
}

set_rotation() {
  step rotation
  if [ "$CREDENTIAL" != client-secret ] && [ "$ROTATE" != off ]; then
    stop "$WRONG_USAGE" "the credential $CREDENTIAL has no client secret that the relay could renew." 'Omit --rotate-secret.'
  fi
  if [ "$WHAT_IF" = yes ]; then
    if [ "$ROTATE" = off ]; then
      say 'would end the renewal of the client secret by the relay, and remove the rights for it'
    else
      say "would let the relay renew its client secret every $ROTATE days: $OWNED_BY, ownership of its registration, and the role Key Vault Secrets Officer on this secret"
    fi
    return
  fi
  find_identity
  if [ "$ROTATE" = off ]; then end_rotation; else begin_rotation; fi
}

# The setting last: before it, nothing uses the rights.
begin_rotation() {
  find_owned_by_grant
  if [ -z "$ANSWER" ]; then
    must_deploy "grant $OWNED_BY" --name "$CONSENT_DEPLOYMENT" --template-file "$INFRA/consent.bicep" \
      --parameters "servicePrincipalObjectId=$PRINCIPAL_ID" "permissions=$(json_list "$OWNED_BY")" --output none
    say "granted $OWNED_BY"
  fi
  find_ownership
  if [ -z "$ANSWER" ]; then
    must 'make the relay an owner of its app registration' ad app owner add --id "$CLIENT_ID" --owner-object-id "$PRINCIPAL_ID"
    say 'the relay is now an owner of its app registration, and of no other'
  fi
  find_secret_role
  if [ -z "$ANSWER" ]; then
    must 'assign the role Key Vault Secrets Officer on the client secret' role assignment create \
      --assignee-object-id "$IDENTITY_PRINCIPAL_ID" --assignee-principal-type ServicePrincipal --role "$ROTATION_ROLE" \
      --scope "$VAULT_ID/secrets/$SECRET_NAME" --description 'graph-mail-relay: the relay renews its client secret' --output none
    say "the relay can now write the secret '$SECRET_NAME', and no other"
  fi
  [ "$RENEWS_EVERY" = "$ROTATE" ] || set_settings "SECRET_ROTATION_DAYS=$ROTATE"
  say "the relay renews its client secret every $ROTATE days (docs/credential-rotation.md)"
}

# The setting first: then nothing uses the rights any more.
end_rotation() {
  local id
  [ -z "$RENEWS_EVERY" ] || set_settings SECRET_ROTATION_DAYS=
  find_secret_role
  [ -z "$ANSWER" ] || must 'remove the role on the client secret' role assignment delete --ids "$(line_of_answer 1)" --output none
  find_ownership
  [ -z "$ANSWER" ] || must 'remove the relay from the owners of its app registration' ad app owner remove --id "$CLIENT_ID" \
    --owner-object-id "$PRINCIPAL_ID"
  find_owned_by_grant
  id=$(line_of_answer 1)
  [ -z "$id" ] || must "withdraw $OWNED_BY" rest --method delete \
    --url "$GRAPH/v1.0/servicePrincipals/$PRINCIPAL_ID/appRoleAssignments/$id"
  say 'the relay does not renew its client secret, and has no right to'
}
