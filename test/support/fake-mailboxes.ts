/** What Graph accepted, and what its Sent Items show of it. */
export type FakeMailboxes = {
  /** Takes a request of sendMail: the mail is on its way to its recipients from here on. */
  accept(body: string, now: Date): void;
  /** Whether Sent Items show a mail with this id. */
  shows(mailId: string, now: Date): boolean;
  /** How often its recipients get a mail. */
  readonly copies: (mailId: string) => number;
};

type GraphRequest = {
  readonly message: { readonly singleValueExtendedProperties: readonly { readonly value: string }[] };
  readonly saveToSentItems: boolean;
};

/** Graph's side in memory; a copy shows in Sent Items some time after the mail was accepted. */
export const makeFakeMailboxes = (sentItemsDelayMs: number): FakeMailboxes => {
  const accepted: { readonly mailId: string; readonly showsAt: number }[] = [];
  return {
    accept: (body, now) => {
      const { message, saveToSentItems } = JSON.parse(body) as GraphRequest;
      const mailId = message.singleValueExtendedProperties[0]?.value ?? '';
      const showsAt = saveToSentItems ? now.getTime() + sentItemsDelayMs : Number.POSITIVE_INFINITY;
      accepted.push({ mailId, showsAt });
    },
    shows: (mailId, now) => accepted.some((mail) => mail.mailId === mailId && mail.showsAt <= now.getTime()),
    copies: (mailId) => accepted.filter((mail) => mail.mailId === mailId).length,
  };
};
