import { RELAY } from '../callers/known-callers.ts';
import { type QueueMailNeeds, queueMail } from '../delivery/queue-mail.ts';
import { AppError } from '../errors.ts';
import { newEnvelope } from '../ledger/queue-message.ts';
import { addressKey } from '../mail/address.ts';
import type { Ports, WarningMail } from '../ports.ts';
import type { CredentialWarning } from './credential-warning.ts';
import { toWarningMail, type WarningMailContext } from './warning-mail.ts';

export type MailWarningsNeeds = QueueMailNeeds &
  Pick<Ports, 'clock' | 'log'> & {
    readonly context: WarningMailContext;
  };

type Addressed = {
  readonly kind: WarningMail['to'];
  readonly to: readonly string[];
  readonly warnings: readonly CredentialWarning[];
};

type AddressNeeds = {
  readonly recipients: readonly string[];
  /** Emails with earlier ones of these warnings that still wait, by key: one more would only wait with them. */
  readonly waiting: ReadonlyMap<string, readonly WarningMail[]>;
};

/** One email with everything for the recipients of the settings, and one for each owner with what is theirs. */
const addressWarnings = (
  warnings: readonly CredentialWarning[],
  { recipients, waiting }: AddressNeeds,
): readonly Addressed[] => {
  const waits = ({ key }: CredentialWarning, kind: WarningMail['to']): boolean =>
    (waiting.get(key) ?? []).some(({ to }) => to === kind);
  const known = new Set(recipients.map(addressKey));
  const owners = new Map<string, Addressed & { readonly warnings: CredentialWarning[] }>();
  for (const warning of warnings.filter((one) => !waits(one, 'owner')))
    for (const owner of new Set(warning.owners.map(addressKey))) {
      if (known.has(owner)) continue;
      const own = owners.get(owner) ?? { kind: 'owner' as const, to: [owner], warnings: [] };
      own.warnings.push(warning);
      owners.set(owner, own);
    }
  const unsent = warnings.filter((one) => !waits(one, 'recipients'));
  const all: readonly Addressed[] =
    recipients.length > 0 && unsent.length > 0
      ? [{ kind: 'recipients', to: recipients, warnings: unsent }]
      : [];
  return [...all, ...owners.values()];
};

/**
 * Queues the emails of a run; gives those that carry each warning, by its key. Their ids come from the run: what takes over a run that
 * crashed writes the same emails, which the ledger knows.
 */
export const mailWarnings = async (
  needs: MailWarningsNeeds,
  warnings: readonly CredentialWarning[],
  { runId, waiting }: { readonly runId: string } & Pick<AddressNeeds, 'waiting'>,
): Promise<ReadonlyMap<string, readonly WarningMail[]>> => {
  const carried = new Map<string, WarningMail[]>();
  const queuedOn = needs.clock.now();
  for (const addressed of addressWarnings(warnings, { recipients: needs.context.recipients, waiting })) {
    try {
      const mailId = await queueOne(needs, addressed, runId);
      const mail: WarningMail = { mailId, queuedOn, to: addressed.kind, state: 'waits' };
      for (const { key } of addressed.warnings) carried.set(key, [...(carried.get(key) ?? []), mail]);
    } catch (failure) {
      const name = failure instanceof AppError ? failure.code : 'Error';
      needs.log({ event: 'WarningChannelFailed', channel: 'mail', name });
    }
  }
  return carried;
};

const queueOne = async (
  needs: MailWarningsNeeds,
  { to, warnings }: Addressed,
  runId: string,
): Promise<string> => {
  const { hashOfContent, mailIdOfText } = await needs.readIdentity();
  const mail = toWarningMail(warnings, { ...needs.context, recipients: to });
  const contentHash = hashOfContent(mail);
  // Of another content it is another email, which the ledger would else hold as a forgery.
  const mailId = mailIdOfText(`warnings ${runId} ${contentHash}`);
  const envelope = newEnvelope({
    mailId,
    acceptedAt: needs.clock.now(),
    caller: RELAY,
    contentHash,
    content: { mail },
  });
  await queueMail(needs, envelope, 0);
  return mailId;
};
