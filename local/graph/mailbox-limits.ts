const MINUTE_MS = 60_000;
const FIVE_MINUTES_MS = 5 * MINUTE_MS;

export type Limits = {
  readonly on: boolean;
  /** https://learn.microsoft.com/graph/throttling-limits#limits-per-mailbox */
  readonly concurrentPerMailbox: number;
  /** https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits#sending-limits */
  readonly messagesPerMinute: number;
  /** Of PATCH, POST and PUT, for an app and a mailbox; whether uploads to the other host count is unknown, so they do. */
  readonly bytesPerFiveMinutes: number;
  /** What a mailbox takes unless its administrator raised it (to 150 MB at most). */
  readonly messageBytes: number;
};

export const EXCHANGE_LIMITS: Limits = {
  on: true,
  concurrentPerMailbox: 4,
  messagesPerMinute: 30,
  bytesPerFiveMinutes: 150_000_000,
  messageBytes: 35_000_000,
};

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

export type BytesRoom =
  | { readonly fits: true }
  | { readonly fits: false; readonly retryAfterSeconds: number };

export type MailboxLimits = ReturnType<typeof makeMailboxLimits>;

/** Who is inside and what was sent, per mailbox; the limits are asked for each time, so they can be switched. */
export const makeMailboxLimits = (limits: () => Limits) => {
  const inside = new Map<string, number>();
  const sent = new Map<string, Date[]>();
  const received = new Map<string, { readonly at: Date; readonly bytes: number }[]>();

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

    takeRoomForBytes: (appAndMailbox: string, bytes: number, now: Date): BytesRoom => {
      const { on, bytesPerFiveMinutes } = limits();
      if (!on || bytes === 0) return { fits: true };
      const recent = (received.get(appAndMailbox) ?? []).filter(
        ({ at }) => now.getTime() - at.getTime() < FIVE_MINUTES_MS,
      );
      let excess = recent.reduce((sum, one) => sum + one.bytes, bytes) - bytesPerFiveMinutes;
      if (excess <= 0) {
        received.set(appAndMailbox, [...recent, { at: new Date(now), bytes }]);
        return { fits: true };
      }
      const last = recent.find((one) => {
        excess -= one.bytes;
        return excess <= 0;
      });
      const waitMs = FIVE_MINUTES_MS - (now.getTime() - (last?.at ?? now).getTime());
      return { fits: false, retryAfterSeconds: Math.ceil(waitMs / 1000) };
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
