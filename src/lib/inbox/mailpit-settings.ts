/** What Mailpit says to its own page (GET /api/v1/webui): nothing that it can do beside keeping emails is on here. */
export const webUi = {
  Label: 'Graph Mail Relay',
  MessageRelay: {
    Enabled: false,
    SMTPServer: '',
    ReturnPath: '',
    AllowedRecipients: '',
    BlockedRecipients: '',
    OverrideFrom: '',
    PreserveMessageIDs: false,
  },
  SpamAssassin: false,
  ChaosEnabled: false,
  DuplicatesIgnored: false,
  HideDeleteAllButton: false,
};
