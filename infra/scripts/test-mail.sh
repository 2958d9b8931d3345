# shellcheck shell=bash
# One email through the deployed relay. The function key goes from az to curl through a pipe: it is never an
# argument, a file or output. Sourced by deploy.sh.

# curl_line NAME VALUE: one line of a curl configuration.
curl_line() {
  local value=${2//\\/\\\\}
  printf '%s = "%s"\n' "$1" "${value//\"/\\\"}"
}

# post_mail URL KEY JSON: prints the response and, on a last line, the status. Tracing would show the key, and so would
# options of the user's .curlrc, which --disable ignores.
post_mail() {
  { set +x; } 2>/dev/null
  {
    curl_line url "$1/api/mail"
    curl_line header "x-functions-key: $2"
    curl_line header 'content-type: application/json'
    curl_line data-raw "$3"
  } | curl --disable --silent --show-error --max-time 120 --write-out '\n%{http_code}' --config -
}

test_mail_json() {
  printf '{"to":%s,"subject":%s,"text":%s}' "$(json_text "$TEST_TO")" "$(json_text "Test email from $APP")" \
    "$(json_text "The relay $APP can send. Check the sender of this email: it must be the mailbox you chose.")"
}

send_test_mail() {
  step test-mail
  if [ -z "$TEST_TO" ]; then
    say 'no test email sent; to send one: --test-to you@your.domain'
    return
  fi
  if [ "$WHAT_IF" = yes ]; then
    say "would send a test email to $TEST_TO"
    return
  fi
  local traced=$- key answer
  { set +x; } 2>/dev/null
  AZURE_LOGGING_ENABLE_LOG_FILE=no must 'read the function key' functionapp keys list --resource-group "$RESOURCE_GROUP" \
    --name "$APP" "${SUBSCRIPTION[@]}" --query functionKeys.default --output tsv
  key=$ANSWER ANSWER=''
  [[ $key =~ ^[A-Za-z0-9+/=_-]+$ ]] || stop "$STOPPED" 'az returned something that is not a function key.'
  answer=$(post_mail "$APP_URL" "$key" "$(test_mail_json)" 2>"$SCRATCH/failure") ||
    stop "$STOPPED" "the relay at $APP_URL did not respond." "$(head -c 300 "$SCRATCH/failure")" \
      'The outcome is unknown: look in the mailbox before you try again.'
  case $traced in *x*) set -x ;; esac
  judge_test_mail "${answer##*$'\n'}" "${answer%$'\n'*}"
}

# judge_test_mail STATUS RESPONSE
judge_test_mail() {
  say "the relay returned $1: ${2:0:1500}"
  case $1:$2 in
    200:*)
      say "Now check the mailbox of $TEST_TO:"
      say "- the email arrived (look in Junk too);"
      say "- From is ${SENDER:-the default sender}, and the Sent Items of that mailbox have the email."
      ;;
    202:*'"unknown"'* | 202:*'"held"'*)
      stop "$STOPPED" 'the outcome of the test email is unknown.' \
        "Look in the mailbox of $TEST_TO and in the Sent Items of the sender before you try again."
      ;;
    202:*)
      say "Graph is busy or unavailable. The relay has stored the email and sends it later. Check the mailbox of $TEST_TO in a few minutes."
      ;;
    401:*)
      stop "$STOPPED" 'the app does not accept its function key.' \
        'A new key takes some minutes to work: run the same command again.' \
        'If sign-in is required (portal > the app > Authentication), turn that off: the relay itself checks the key.'
      ;;
    *MAILBOX_OUT_OF_SCOPE* | *PERMISSION_NOT_GRANTED*)
      [ "$CONSENT" = no ] ||
        stop "$STOPPED" 'the relay runs, but Graph has not applied the consent yet.' \
          "The relay keeps its token for up to an hour. To get a new one, restart the app: az functionapp restart $(in_this_group) --name $APP" \
          'Then run the same command again.'
      stop "$STOPPED" 'the relay runs, but is not allowed to send from this mailbox yet.' "$(exchange_advice)" \
        'Exchange applies changes within 30 minutes to 2 hours. Then run the same command again.'
      ;;
    *MAILBOX_NOT_FOUND*)
      stop "$STOPPED" 'the sender has no mailbox in Exchange Online.' \
        'Give --sender the primary or a proxy address of a mailbox of this tenant, shared or licensed.'
      ;;
    *)
      stop "$STOPPED" 'the relay rejected the test email.' 'The response above says why (code) and what to do (remedy).'
      ;;
  esac
}
