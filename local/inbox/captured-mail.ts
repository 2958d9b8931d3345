/** A mail the Graph stand-in accepted: what the inbox page shows and the tests look at. */
export type CapturedMail = {
  readonly id: string;
  readonly acceptedAt: string;
  /** The mailbox it was sent from (the one named in the URL, as its primary address). */
  readonly mailbox: string;
  readonly graphRequestId: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    /** Without the `authorization` header. */
    readonly headers: Readonly<Record<string, string>>;
    /** As received: `{ message, saveToSentItems }`. */
    readonly body: GraphSendMailBody;
  };
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
  readonly internetMessageHeaders?: readonly { readonly name: string; readonly value: string }[];
  readonly singleValueExtendedProperties?: readonly { readonly id: string; readonly value: string }[];
  readonly attachments?: readonly GraphFileAttachment[];
};

export type GraphFileAttachment = {
  readonly '@odata.type': '#microsoft.graph.fileAttachment';
  readonly name: string;
  readonly contentType?: string;
  /** Base64. */
  readonly contentBytes: string;
  readonly isInline?: boolean;
  readonly contentId?: string;
};

/** What the Graph stand-in needs of the inbox: somewhere to put an accepted mail, durably, before it answers 202. */
export type CaptureMail = (mail: CapturedMail) => Promise<void>;
