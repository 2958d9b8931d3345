import { FUNCTION_KEYS, QUEUE } from '../callers/known-callers.ts';
import { MAIN_CONNECTION } from '../connections/connection.ts';
import { catalogue } from '../error-catalogue.ts';
import type { CredentialWarning } from './credential-warning.ts';
import { disable, RENEW_MAIN_SECRET, recordDate, renewCertificate, renewSecret } from './renewal-commands.ts';
import { listed, type Step, toMinute, type WarningContext, type WarningWords } from './warning-text.ts';

const days = (count: number): string => (count === 1 ? '1 day' : `${count} days`);

const nounOf = ({ kind, uses }: CredentialWarning): string => {
  if (kind === 'secret') return uses.length > 0 ? 'client secret' : 'secret';
  return kind === 'federated' ? 'federated credential' : kind.replace('-', ' ');
};

const headlineOf = (warning: CredentialWarning): string => {
  const subject = `The ${nounOf(warning)} ${warning.name}`;
  switch (warning.state) {
    case 'expiring':
      return warning.daysLeft === 1
        ? `${subject} expires within a day`
        : `${subject} expires in ${days(warning.daysLeft)}`;
    case 'expired':
      return `${subject} has expired`;
    case 'no-expiry-date':
      return `${subject} has no expiry date in the vault`;
    case 'dates-differ':
      return `${subject} has another expiry date in the vault than in Entra`;
    case 'refused':
      return `The connection ${namesOf(warning)} gets no token: ${catalogue[warning.code].title}`;
  }
};

const namesOf = ({ uses }: CredentialWarning): string =>
  uses.map(({ connection }) => connection.name).join(', ');

const more = (count: number): string => `and ${count} more`;

const callerOf = (name: string): string =>
  ({
    [FUNCTION_KEYS]: `${FUNCTION_KEYS} (applications with a function key)`,
    [QUEUE]: `${QUEUE} (applications that write to the queue mail)`,
  })[name] ?? name;

const datesOf = (warning: CredentialWarning): readonly (readonly [string, string])[] => {
  switch (warning.state) {
    case 'expiring':
      return [['Expires', `${toMinute(warning.expiresOn)} (${days(warning.daysLeft)} left)`]];
    case 'expired':
      return [['Expired', toMinute(warning.expiresOn)]];
    case 'no-expiry-date':
      return warning.entraDate === undefined
        ? [['Expires', 'unknown']]
        : [['Expires', `${toMinute(warning.entraDate)}, as Entra says`]];
    case 'dates-differ':
      return [
        ['In the vault', toMinute(warning.vaultDate)],
        ['In Entra', toMinute(warning.entraDate)],
      ];
    case 'refused':
      return [
        [
          'Error',
          warning.upstreamCode === undefined ? warning.code : `${warning.code} (${warning.upstreamCode})`,
        ],
      ];
  }
};

const usesOf = ({ uses }: CredentialWarning): readonly (readonly [string, string])[] => [
  [
    'Used by',
    uses.length === 0
      ? 'no connection of the relay'
      : uses
          .map(
            ({ connection }) =>
              `the connection ${connection.name} (tenant ${connection.tenantId}, application ${connection.clientId})`,
          )
          .join('; '),
  ],
  ...listOf('Senders', [...new Set(uses.flatMap(({ senders }) => senders))]),
  ...listOf('Callers', [...new Set(uses.flatMap(({ callers }) => callers))].map(callerOf)),
];

const OWNER_FAULTS = {
  unreadable: 'not notified: the tag owner of the secret in the vault is not one email address',
  outside:
    'not notified: the address in the tag owner is outside the domains of your senders and of SECRET_WARNING_RECIPIENTS',
} as const;

const ownerOf = ({ ownerFault }: CredentialWarning): readonly (readonly [string, string])[] =>
  ownerFault === undefined ? [] : [['Owner', OWNER_FAULTS[ownerFault]]];

const listOf = (label: string, names: readonly string[]): readonly (readonly [string, string])[] =>
  names.length === 0 ? [] : [[label, listed(names, ', ', more)]];

const breaksOf = ({ uses, state }: CredentialWarning): string | undefined => {
  if (uses.length === 0) return undefined;
  switch (state) {
    case 'expiring':
      return 'After this date, the relay sends no email for these senders: emails from the queue wait and are then held, and callers receive errors.';
    case 'expired':
      return 'As soon as Entra rejects it, the relay sends no email for these senders: emails from the queue wait and are then held, and callers receive errors.';
    case 'refused':
      return 'The relay sends no email for these senders now: emails from the queue wait and are then held, and callers receive errors.';
    case 'no-expiry-date':
      return 'Without the date in the vault, the relay may not warn you before it stops sending for these senders.';
    case 'dates-differ':
      return 'The relay counts by the earlier date. Everyone who looks at the vault sees the other one.';
  }
};

const renewal = ({ kind, name, uses }: CredentialWarning, context: WarningContext): readonly Step[] => {
  const [use] = uses;
  const clientId = use?.connection.clientId;
  if (kind === 'certificate') {
    const [create, register] = renewCertificate(context, name, clientId);
    return [
      {
        say: 'Create a new version of the certificate, then add it to the registration. The relay uses the old one until Entra knows the new one:',
      },
      { run: create },
      { run: register },
    ];
  }
  const store = { run: renewSecret(context, name, clientId) };
  const say =
    'Create a new client secret and store it in the vault. The relay uses it without a restart, and the old one works until it expires:';
  return use?.connection.name === MAIN_CONNECTION
    ? [{ say }, { run: RENEW_MAIN_SECRET }, { say: 'Or for the secret alone:' }, store]
    : [{ say }, store];
};

const ROTATED =
  'The relay renews this secret itself (SECRET_ROTATION_DAYS). This warning means that it has not succeeded so far: look for the reason in the log. To renew it now by hand:';

const stepsOf = (warning: CredentialWarning, context: WarningContext): readonly Step[] => {
  const { kind, name, uses } = warning;
  switch (warning.state) {
    case 'expiring':
    case 'expired': {
      if (uses.length === 0)
        return [
          {
            say: 'Notify the person who uses it. If it is a client secret or certificate of a registration:',
          },
          ...renewal(warning, context).filter((step) => 'run' in step),
          { say: 'If it is no longer needed, disable it:' },
          { run: disable(context, kind, name) },
        ];
      return context.rotates && kind === 'secret'
        ? [{ say: ROTATED }, ...renewal(warning, context).slice(1)]
        : renewal(warning, context);
    }
    case 'no-expiry-date':
      return [
        {
          say:
            warning.entraDate === undefined
              ? 'Record the date that the registration shows under Certificates & secrets:'
              : 'Record the date that Entra has:',
        },
        {
          run: recordDate(context, {
            name,
            version: warning.version,
            ...(warning.entraDate === undefined ? {} : { date: warning.entraDate }),
          }),
        },
      ];
    case 'dates-differ':
      if (kind === 'certificate')
        return [
          { say: 'Add the certificate to the registration again, so that Entra has its date:' },
          { run: renewCertificate(context, name, uses[0]?.connection.clientId)[1] },
        ];
      return [
        { say: 'Record the date that Entra has:' },
        { run: recordDate(context, { name, version: warning.version, date: warning.entraDate }) },
      ];
    case 'refused':
      return [{ say: catalogue[warning.code].remedy }];
  }
};

/** Warnings in English. */
export const ENGLISH: WarningWords = {
  describe: (warning, context) => {
    const breaks = breaksOf(warning);
    return {
      headline: headlineOf(warning),
      facts: [
        ...datesOf(warning),
        ['Vault', context.vault || 'none'],
        ...usesOf(warning),
        ...ownerOf(warning),
      ],
      ...(breaks === undefined ? {} : { breaks }),
      steps: stepsOf(warning, context),
    };
  },
  subject: ([first = '', ...rest], vault) =>
    `${first}${rest.length === 0 ? '' : `, and ${rest.length === 1 ? '1 more warning' : `${rest.length} more warnings`}`}${vault && ` (${vault})`}`,
  opening: (count, vault, day) =>
    `${count === 1 ? 'One warning' : `${count} warnings`} about credentials of Graph Mail Relay${vault && `, vault ${vault}`}, ${day} (UTC).`,
  whatToDo: 'What to do',
  colon: ': ',
  more: (count) => `${count} more are not shown. The log has all of them (SecretExpiring).`,
  footer:
    'Sent by Graph Mail Relay. It warns again when less time is left (SECRET_WARNING_DAYS), and every day after the expiry (after seven days weekly, if no connection uses it).',
};
