/** An email that Graph's stand-in accepted, or that the relay captured: what the inbox page shows and the tests look at. */
export type CapturedMail = {
  readonly id: string;
  readonly acceptedAt: string;
  /** The mailbox it was sent from (the one named in the URL, as its primary address). */
  readonly mailbox: string;
  /** Empty for an email that was captured: no request was made. */
  readonly graphRequestId: string;
  /** Whose it is, and its tags, where the relay captured it. */
  readonly caller?: string;
  readonly tags?: readonly string[];
  readonly request: {
    readonly method: string;
    readonly path: string;
    /** Without the `authorization` header. */
    readonly headers: Readonly<Record<string, string>>;
    /** As received where it came as JSON; otherwise the Graph message that it amounts to. */
    readonly body: GraphSendMailBody;
  };
  /** How it came; `json` where a file of an earlier run does not say. */
  readonly via?: 'json' | 'mime' | 'draft';
  readonly internetMessageId?: string;
  /** The MIME as received, base64, where it came as MIME (sendMail or draft). */
  readonly mime?: string;
  /** The plain alternative where message.body is html, and what MIME or a draft adds. */
  readonly text?: string;
  readonly calendar?: { readonly method: string; readonly ics: string };
  readonly inReplyTo?: string;
  readonly references?: readonly string[];
  /** Headers recipients see, in order, where it came as MIME. */
  readonly headers?: readonly { readonly name: string; readonly value: string }[];
};

export type GraphSendMailBody = { readonly message: GraphMessage; readonly saveToSentItems?: boolean };

export type GraphRecipient = { readonly emailAddress: { readonly address: string; readonly name?: string } };

export type GraphMessage = {
  readonly subject?: string;
  readonly body?: { readonly contentType: 'text' | 'html'; readonly content: string };
  readonly from?: GraphRecipient;
  readonly toRecipients?: readonly GraphRecipient[];
  readonly ccRecipients?: readonly GraphRecipient[];
  readonly bccRecipients?: readonly GraphRecipient[];
  readonly replyTo?: readonly GraphRecipient[];
  readonly importance?: 'low' | 'normal' | 'high';
  readonly isReadReceiptRequested?: boolean;
  readonly isDeliveryReceiptRequested?: boolean;
  readonly categories?: readonly string[];
  readonly internetMessageId?: string;
  readonly internetMessageHeaders?: readonly { readonly name: string; readonly value: string }[];
  readonly singleValueExtendedProperties?: readonly { readonly id: string; readonly value: string }[];
  readonly attachments?: readonly GraphFileAttachment[];
};

export type GraphFileAttachment = {
  readonly '@odata.type': '#microsoft.graph.fileAttachment';
  readonly name: string;
  readonly contentType?: string;
  /** Base64. A large file has `contentFile` and `size` in place of it. */
  readonly contentBytes?: string;
  /** Where the bytes are, as whoever keeps the email understands it: a path, or a blob. */
  readonly contentFile?: string;
  /** Bytes of `contentFile`. */
  readonly size?: number;
  readonly isInline?: boolean;
  readonly contentId?: string;
};

/**
 * What the Graph stand-in needs of the inbox: somewhere to put an accepted email, durably, before it answers 202. Each
 * `contentFile` belongs to the inbox from then on, which may move it.
 */
export type CaptureMail = (mail: CapturedMail) => Promise<void>;
