import type { SecretWarning } from './secret-expiry.ts';

export type WarningContext = { readonly vault: string; readonly recipients: readonly string[] };

const days = (count: number): string => (count === 1 ? '1 day' : `${count} days`);

const headline = (warning: SecretWarning): string => {
  switch (warning.state) {
    case 'no-expiry-date':
      return `The secret ${warning.secretName} has no expiry date in the vault`;
    case 'expired':
      return `The secret ${warning.secretName} has expired`;
    case 'expiring':
      return warning.daysLeft === 0
        ? `The secret ${warning.secretName} expires within a day`
        : `The secret ${warning.secretName} expires in ${days(warning.daysLeft)}`;
  }
};

const todo = (warning: SecretWarning, { vault }: WarningContext): readonly string[] =>
  warning.state === 'no-expiry-date'
    ? [
        'Without the date, the relay cannot warn you before the secret stops working. Record the date:',
        '',
        `  az keyvault secret set-attributes --vault-name ${vault} --name ${warning.secretName} --expires <date>`,
      ]
    : [
        'If it is a client secret of an app registration, create a new one and store it with its date.',
        'This script of the relay does both and never shows the secret. The relay needs no restart:',
        '',
        `  infra/scripts/store-client-secret.sh --vault-id "$(az keyvault show --name ${vault} --query id --output tsv)" --client-id <client id> --secret-name ${warning.secretName} --renew`,
        '',
        'If it is no longer needed, disable it:',
        '',
        `  az keyvault secret set-attributes --vault-name ${vault} --name ${warning.secretName} --enabled false`,
      ];

/** The warning as an email. Names the secret and its date, never its value. */
export const toWarningMail = (warning: SecretWarning, context: WarningContext) => ({
  to: [...context.recipients],
  subject: `${headline(warning)} (${context.vault})`,
  text: [
    `${headline(warning)}.`,
    '',
    `Vault:   ${context.vault}`,
    `Secret:  ${warning.secretName}`,
    `Expires: ${warning.state === 'no-expiry-date' ? 'no date recorded' : warning.expiresOn.toISOString()}`,
    '',
    ...todo(warning, context),
    '',
    'Sent by Graph Mail Relay, function warnExpiringSecrets.',
  ].join('\n'),
  importance: 'high',
});
