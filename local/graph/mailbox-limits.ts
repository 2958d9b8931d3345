const MINUTE_MS = 60_000;

export type Limits = {
  readonly on: boolean;
  /** https://learn.microsoft.com/graph/throttling-limits#limits-per-mailbox */
  readonly concurrentPerMailbox: number;
  /** https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits#sending-limits */
  readonly messagesPerMinute: number;
};

export const EXCHANGE_LIMITS: Limits = { on: true, concurrentPerMailbox: 4, messagesPerMinute: 30 };

/** How long until one more message fits into the rolling minute: 0 when it fits now. Oldest first. */
export const untilRoomMs = (sentAt: readonly Date[], messagesPerMinute: number, now: Date): number => {
  const blocking = sentAt.filter((at) => isWithinTheMinute(at, now)).at(-messagesPerMinute);
  return blocking === undefined ? 0 : blocking.getTime() + MINUTE_MS - now.getTime();
};

const isWithinTheMinute = (at: Date, now: Date) => now.getTime() - at.getTime() < MINUTE_MS;

export type Entrance = { readonly concurrent: number; readonly tooMany: boolean; readonly leave: () => void };

export type MessageRoom =
  /** `giveBack` is for a message that was then not accepted. */
  | { readonly fits: true; readonly giveBack: () => void }
  | { readonly fits: false; readonly retryAfterSeconds: number };

export type MailboxLimits = ReturnType<typeof makeMailboxLimits>;

/** Who is inside and what was sent, per mailbox; the limits are asked for each time, so they can be switched. */
export const makeMailboxLimits = (limits: () => Limits) => {
  const inside = new Map<string, number>();
  const sent = new Map<string, Date[]>();

  return {
    /** A refused request counts too, for as long as it is being answered. */
    enter: (appAndMailbox: string): Entrance => {
      const concurrent = (inside.get(appAndMailbox) ?? 0) + 1;
      inside.set(appAndMailbox, concurrent);
      let left = false;
      return {
        concurrent,
        tooMany: limits().on && concurrent > limits().concurrentPerMailbox,
        leave: () => {
          if (left) return;
          left = true;
          const remaining = (inside.get(appAndMailbox) ?? 1) - 1;
          if (remaining === 0) inside.delete(appAndMailbox);
          else inside.set(appAndMailbox, remaining);
        },
      };
    },

    takeRoomForMessage: (mailbox: string, now: Date): MessageRoom => {
      if (!limits().on) return { fits: true, giveBack() {} };
      const recent = (sent.get(mailbox) ?? []).filter((at) => isWithinTheMinute(at, now));
      const waitMs = untilRoomMs(recent, limits().messagesPerMinute, now);
      if (waitMs > 0) return { fits: false, retryAfterSeconds: Math.ceil(waitMs / 1000) };
      const at = new Date(now);
      sent.set(mailbox, [...recent, at]);
      return {
        fits: true,
        giveBack: () =>
          sent.set(
            mailbox,
            (sent.get(mailbox) ?? []).filter((other) => other !== at),
          ),
      };
    },
  };
};
