import { addressKey } from '../mail/address.ts';
import type { DoctorFacts, MailboxFacts } from './doctor-facts.ts';
import { type Finding, failed, grouped, late, ok, unknown, warning, wordsOf } from './finding.ts';

/** Nobody can have a domain of it (RFC 2606, 2). */
const NO_DOMAIN = /\.invalid$/i;

const TEST_EMAIL =
  'Send a test email from it: npm run doctor -- --send-to <you@your.domain> --from <address>';

/** Whether the sender mailboxes answer, and whether the relay may look into them. */
export const judgeMailboxes = (facts: DoctorFacts): readonly Finding[] => [
  ...grouped(facts.mailboxes.map((one) => judgeMailbox(one, facts))),
  ...unchecked(facts),
  ...lookUp(facts),
  ...drafts(facts),
  ...senderDomains(facts),
];

const hasToken = ({ connections }: DoctorFacts, { connection }: MailboxFacts): boolean =>
  connections.some((one) => one.connection.name === connection && one.proof.kind === 'seen');

const judgeMailbox = (one: MailboxFacts, facts: DoctorFacts): Finding => {
  const check = { check: 'mailbox', subject: one.mailbox };
  if (NO_DOMAIN.test(one.mailbox))
    return ok(check, 'No mailbox has this address: its connection is kept for look-ups in its tenant.');
  if (!hasToken(facts, one)) return unknown(check, 'Cannot be checked without a token.');
  if (one.sighting.kind === 'late') return late(check);
  if (one.sighting.kind === 'failed') return unknown(check, wordsOf(one.sighting.reason));
  const sighting = one.sighting.value;
  switch (sighting.kind) {
    case 'cannot-tell':
      return unknown(
        check,
        'The relay has no permission to look into the mailbox, so it cannot tell whether it can send from there.',
        TEST_EMAIL,
      );
    case 'not-now':
      if (sighting.status === 404)
        return {
          ...failed(
            check,
            `There is no such mailbox in Exchange Online${sighting.upstreamCode === undefined ? '' : ` (${sighting.upstreamCode})`}.`,
            'Check that the address is the primary or a proxy address of a mailbox, that the mailbox is shared or has a license, and that it is in Exchange Online. Then correct MAIL_DEFAULT_SENDER, MAIL_ALLOWED_SENDERS or the senders of the connection.',
          ),
          code: 'MAILBOX_NOT_FOUND',
        };
      if (sighting.status === undefined)
        return {
          ...failed(
            check,
            'Graph does not respond.',
            'Check GRAPH_ENDPOINT, DNS, the proxy and outbound network rules.',
          ),
          code: 'GRAPH_UNREACHABLE',
        };
      return unknown(
        check,
        `Graph returned ${sighting.status}${sighting.upstreamCode === undefined ? '' : ` (${sighting.upstreamCode})`}.`,
        'Run the doctor again. If it stays, look at https://status.cloud.microsoft.',
      );
    default:
      return ok(check, 'The mailbox responds, and the relay can look in Sent Items.');
  }
};

const unchecked = ({ settings, mailboxesLeft }: DoctorFacts): readonly Finding[] => {
  const domains = settings.senders.filter((sender) => sender.startsWith('*@'));
  return [
    ...(domains.length === 0
      ? []
      : [
          unknown(
            { check: 'mailbox', subject: domains.join(', ') },
            'Every address of the domain is allowed, and the settings do not name the mailboxes.',
            TEST_EMAIL,
          ),
        ]),
    ...(mailboxesLeft === 0
      ? []
      : [
          unknown(
            { check: 'mailbox', subject: `${mailboxesLeft} more` },
            'The doctor looks at no more mailboxes in one run.',
            TEST_EMAIL,
          ),
        ]),
  ];
};

const canLook = ({ sighting }: MailboxFacts): boolean | undefined => {
  if (sighting.kind !== 'seen') return undefined;
  if (sighting.value.kind === 'cannot-tell') return false;
  return sighting.value.kind === 'not-now' ? undefined : true;
};

const lookUp = (facts: DoctorFacts): readonly Finding[] => {
  if (!facts.settings.looksUp) return [];
  const blind = facts.mailboxes.filter((one) => hasToken(facts, one) && canLook(one) === false);
  if (blind.length === 0) return [];
  return [
    warning(
      { check: 'look-up', subject: blind.map(({ mailbox }) => mailbox).join(', ') },
      'Without Mail.Read, the relay cannot look in Sent Items when it is unknown whether Graph sent an email. It then holds the email.',
      'Assign the role for these mailboxes: infra/scripts/limit-mailboxes.ps1 -AlsoGrant Mail.Read. Changes take 30 minutes to 2 hours. Or set MAIL_ON_UNKNOWN=hold if operators look themselves.',
    ),
  ];
};

const drafts = ({ settings, connections }: DoctorFacts): readonly Finding[] =>
  settings.draftSettings.length === 0
    ? []
    : connections.flatMap(({ connection, proof }) => {
        if (proof.kind !== 'seen') return [];
        const check = { check: 'drafts', subject: connection.name };
        if (proof.value.roles.includes('Mail.ReadWrite'))
          return [ok(check, 'The token has Mail.ReadWrite, which drafts need.')];
        return [
          unknown(
            check,
            `${settings.draftSettings.join(' and ')} needs Mail.ReadWrite. The token does not have it, and only Exchange knows whether it grants it.`,
            'In Exchange Online PowerShell: Test-ServicePrincipalAuthorization -Identity <app> -Resource <mailbox>. With MAIL_DELIVERY=exact, a test email shows it too.',
          ),
        ];
      });

/** https://techcommunity.microsoft.com/blog/exchange: limiting onmicrosoft domain usage for sending emails */
const OF_MICROSOFT = /@[^@]*\.onmicrosoft\.(?:com|us|cn)$/;

const senderDomains = ({ settings }: DoctorFacts): readonly Finding[] => {
  const senders = settings.senders.filter((sender) => OF_MICROSOFT.test(addressKey(sender)));
  return senders.length === 0
    ? []
    : [
        warning(
          { check: 'sender-domain', subject: senders.join(', ') },
          'From an address at onmicrosoft.com, Exchange sends to at most 100 external recipients of the tenant in 24 hours, then rejects with 550 5.7.236.',
          'Use a mailbox with an address of your own domain.',
        ),
      ];
};
