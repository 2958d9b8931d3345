import { z } from 'zod';
import type {
  GraphFileAttachment,
  GraphMessage,
  GraphSendMailBody,
} from '../../src/lib/inbox/captured-mail.ts';
import { bodyUnreadable } from './refusals.ts';

/*
 * The shape of a message and of what is done with it, with OData's complaints. Narrower than Graph: names and enum values exactly as
 * documented, no nulls, no properties that Graph itself would fill in.
 */

/** Graph takes these on a message; the stand-in does not know what they do, and says so rather than ignore them. */
const REAL_BUT_NOT_CARRIED = new Set([
  'sender',
  'flag',
  'multiValueExtendedProperties',
  'extensions',
  'inferenceClassification',
]);

const object = <Shape extends z.ZodRawShape>(type: string, shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? unknownName(type, issue.keys[0]) : mismatch(type, issue),
  });

const unknownName = (type: string, name = '') =>
  type === 'microsoft.graph.message' && REAL_BUT_NOT_CARRIED.has(name)
    ? `Graph knows the property '${name}' of '${type}', but this stand-in does not carry it; teach it in local/graph/message-schema.ts.`
    : type === 'sendMail' || type === 'createUploadSession'
      ? `The parameter '${name}' in the request payload is not a valid parameter for the operation '${type}'.`
      : `The property '${name}' does not exist on type '${type}'. Make sure to only use property names that are defined by the type or mark the type as open type.`;

/** Says what kind of value came, never the value: it may be a part of somebody's mail. */
const mismatch = (type: string, { input }: { readonly input?: unknown }) =>
  input === undefined
    ? `A value of type '${type}' is required, but there is none.`
    : `Cannot convert a value of type '${kindOf(input)}' to the expected type '${type}'.`;

const kindOf = (input: unknown) => (input === null ? 'null' : Array.isArray(input) ? 'array' : typeof input);

const text = z.string({ error: (issue) => mismatch('Edm.String', issue) });
const bool = z.boolean({ error: (issue) => mismatch('Edm.Boolean', issue) });
const list = <Item extends z.ZodType>(item: Item, type: string) =>
  z.array(item, { error: (issue) => mismatch(`Collection(${type})`, issue) });
const oneOf = <const Values extends readonly string[]>(type: string, values: Values) =>
  z.enum(values, {
    error: ({ input }) =>
      typeof input === 'string'
        ? `The value is not a member of '${type}'; expected ${values.join(', ')}.`
        : mismatch(type, { input }),
  });

const recipient = object('microsoft.graph.recipient', {
  emailAddress: object('microsoft.graph.emailAddress', { address: text, name: text.exactOptional() }),
});
const recipients = list(recipient, 'microsoft.graph.recipient').exactOptional();

const fileAttachment = object('microsoft.graph.fileAttachment', {
  '@odata.type': z.literal('#microsoft.graph.fileAttachment', {
    error:
      "An attachment needs '@odata.type': 'microsoft.graph.attachment' is abstract and cannot be created. Expected '#microsoft.graph.fileAttachment'.",
  }),
  name: text,
  contentType: text.exactOptional(),
  contentBytes: text,
  isInline: bool.exactOptional(),
  contentId: text.exactOptional(),
});

const changeable = {
  subject: text.exactOptional(),
  body: object('microsoft.graph.itemBody', {
    contentType: oneOf('microsoft.graph.bodyType', ['text', 'html']),
    content: text,
  }).exactOptional(),
  from: recipient.exactOptional(),
  toRecipients: recipients,
  ccRecipients: recipients,
  bccRecipients: recipients,
  replyTo: recipients,
  importance: oneOf('microsoft.graph.importance', ['low', 'normal', 'high']).exactOptional(),
  isReadReceiptRequested: bool.exactOptional(),
  isDeliveryReceiptRequested: bool.exactOptional(),
  categories: list(text, 'Edm.String').exactOptional(),
  internetMessageId: text
    .regex(/^<[^<>@\s]{1,400}@[^<>@\s]{1,400}>$/, {
      error: "The value is not a valid 'internetMessageId'; expected '<local part@domain>'.",
    })
    .exactOptional(),
  /** https://learn.microsoft.com/graph/api/singlevaluelegacyextendedproperty-post-singlevalueextendedproperties */
  singleValueExtendedProperties: list(
    object('microsoft.graph.singleValueLegacyExtendedProperty', { id: text, value: text }),
    'microsoft.graph.singleValueLegacyExtendedProperty',
  ).exactOptional(),
};

/** What is set when the message is made, and not after. */
const atCreation = {
  internetMessageHeaders: list(
    object('microsoft.graph.internetMessageHeader', { name: text, value: text }),
    'microsoft.graph.internetMessageHeader',
  ).exactOptional(),
  attachments: list(fileAttachment, 'microsoft.graph.attachment').exactOptional(),
};

const message: z.ZodType<GraphMessage> = object('microsoft.graph.message', { ...changeable, ...atCreation });

const messageChange: z.ZodType<Partial<GraphMessage>> = object('microsoft.graph.message', changeable);

const sendMailBody: z.ZodType<GraphSendMailBody> = object('sendMail', {
  message,
  saveToSentItems: bool.exactOptional(),
});

const uploadRequest: z.ZodType<UploadRequest> = object('createUploadSession', {
  AttachmentItem: object('microsoft.graph.attachmentItem', {
    attachmentType: oneOf('microsoft.graph.attachmentType', ['file']),
    name: text,
    size: z.int({ error: (issue) => mismatch('Edm.Int64', issue) }),
    contentType: text.exactOptional(),
    isInline: bool.exactOptional(),
    contentId: text.exactOptional(),
  }),
});

/** https://learn.microsoft.com/graph/api/attachment-createuploadsession */
export type UploadRequest = {
  readonly AttachmentItem: Pick<GraphFileAttachment, 'name' | 'contentType' | 'isInline' | 'contentId'> & {
    readonly attachmentType: 'file';
    readonly size: number;
  };
};

/*
 * These assert rather than rebuild, so that the inbox shows a request exactly as it came.
 */

export function assertSendMailBody(value: unknown): asserts value is GraphSendMailBody {
  requireShape(sendMailBody, value);
}

export function assertMessage(value: unknown): asserts value is GraphMessage {
  requireShape(message, value);
}

export function assertMessageChange(value: unknown): asserts value is Partial<GraphMessage> {
  requireShape(messageChange, value);
}

export function assertFileAttachment(value: unknown): asserts value is GraphFileAttachment {
  requireShape(fileAttachment, value);
}

export function assertUploadRequest(value: unknown): asserts value is UploadRequest {
  requireShape(uploadRequest, value);
}

const requireShape = (schema: z.ZodType, value: unknown): void => {
  const problem = schema.safeParse(value).error?.issues[0];
  if (problem === undefined) return;
  const path = z.core.toDotPath(problem.path);
  throw bodyUnreadable(path === '' ? problem.message : `${problem.message} Path '${path}'.`);
};
