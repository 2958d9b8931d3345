import { dayOf } from '../callers/quota.ts';
import type { CredentialEvent } from '../ledger/relay-event.ts';
import type { CredentialWarning } from './credential-warning.ts';
import { warningFacts } from './warning-facts.ts';

/** The event of a warning; its id is the same for the day on which people are told of it. */
export const credentialEvent = (warning: CredentialWarning, toldOn: Date): CredentialEvent => ({
  // Keys and marks have times in them, with full stops and colons.
  id: `credential/${warning.state}/${[warning.key, warning.mark].map(plain).join('/')}/${dayOf(toldOn)}`,
  eventType: 'GraphMailRelay.Credential.Warning',
  subject: `credential/${warning.name}`,
  eventTime: toldOn.toISOString(),
  dataVersion: '1',
  data: warningFacts(warning),
});

const plain = (text: string): string => text.replaceAll(/[^\w-]+/g, '-');
