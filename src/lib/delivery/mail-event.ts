import { isFinal, type LedgerRow } from '../ledger/ledger-row.ts';

/** What is told of a mail that reached a final state, in the shape of Event Grid's own schema. */
export type MailEvent = {
  readonly id: string;
  readonly eventType: `GraphMailRelay.Mail.${string}`;
  readonly subject: string;
  readonly eventTime: string;
  readonly dataVersion: '1';
  readonly data: {
    readonly mailId: string;
    readonly state: LedgerRow['state'];
    readonly caller: string;
    readonly tags: readonly string[];
    readonly code?: string;
    readonly graphRequestId?: string;
  };
};

export type AnnounceNeeds = {
  /** Puts an event on the queue mail-events; absent where nobody wants events. */
  readonly putEvent?: (event: MailEvent) => Promise<void>;
};

const EVENT_TYPES = {
  sent: 'Sent',
  rejected: 'Rejected',
  held: 'Held',
  closed: 'Closed',
} as const;

/**
 * Tells of a final state, before the ledger says it: a crash in between means telling it twice, never not at all.
 * The id is the same both times, so that a receiver can tell.
 */
export const announce = async (needs: AnnounceNeeds, row: LedgerRow): Promise<void> => {
  if (needs.putEvent === undefined || !isFinal(row.state)) return;
  const { mailId, state, caller, tags, turn } = row;
  await needs.putEvent({
    id: `${mailId}/${turn}/${state}`,
    eventType: `GraphMailRelay.Mail.${EVENT_TYPES[state as keyof typeof EVENT_TYPES]}`,
    subject: `mail/${mailId}`,
    eventTime: row.updatedAt,
    dataVersion: '1',
    data: {
      mailId,
      state,
      caller,
      tags,
      ...('reason' in row ? { code: row.reason.code } : {}),
      ...(row.state === 'sent' && row.graphRequestId !== undefined
        ? { graphRequestId: row.graphRequestId }
        : {}),
    },
  });
};
