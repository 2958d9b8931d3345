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
        'Without the date nobody can be warned before the secret stops working. Record it:',
        '',
        `  az keyvault secret set-attributes --vault-name ${vault} --name ${warning.secretName} --expires <date>`,
      ]
    : [
        'If it is a client secret of an app registration, make a new one beside it and store it with its date;',
        'the relay picks it up without a restart:',
        '',
        '  az ad app credential reset --id <client id> --append',
        `  az keyvault secret set --vault-name ${vault} --name ${warning.secretName} --value <new secret> --expires <date>`,
        '',
        'If it is no longer needed, disable it:',
        '',
        `  az keyvault secret set-attributes --vault-name ${vault} --name ${warning.secretName} --enabled false`,
      ];

/** The warning as a mail of the contract. Names the secret and its date, never its value. */
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
