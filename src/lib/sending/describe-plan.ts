import type { GraphMessageBody, SendPlan } from './send-plan.ts';

/** A request to Graph as a person reads it: long texts and contents of files are cut. */
export type DescribedRequest = {
  readonly method: 'POST' | 'PUT';
  /** Below the endpoint of Graph. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Of the whole body. */
  readonly bodyBytes?: number;
};

const LONGEST_TEXT = 300;
const LONGEST_CONTENT = 40;

const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most).toWellFormed()}... (${text.length} characters)`;

const described = ({ contentType, body }: GraphMessageBody) => ({
  body:
    contentType === 'application/json'
      ? JSON.parse(body.toString(), (name, value) =>
          typeof value === 'string'
            ? cut(value, name === 'contentBytes' ? LONGEST_CONTENT : LONGEST_TEXT)
            : value,
        )
      : cut(body.toString('latin1'), LONGEST_TEXT),
  bodyBytes: body.length,
});

/** The requests of a plan in their order, without the token. Shows the email: for its caller alone, never for a log. */
export const describePlan = (plan: SendPlan): readonly DescribedRequest[] => {
  const mailbox = `/v1.0/users/${encodeURIComponent(plan.mailbox.toWellFormed())}`;
  const message = plan.kind === 'draft' ? plan.message : plan;
  const headers = { 'Content-Type': message.contentType };
  if (plan.kind !== 'draft')
    return [{ method: 'POST', path: `${mailbox}/sendMail`, headers, ...described(plan) }];
  const draft = `${mailbox}/messages/{id}`;
  return [
    { method: 'POST', path: `${mailbox}/messages`, headers, ...described(message) },
    ...plan.files.map(({ bytes }) => ({
      method: 'POST' as const,
      path: `${draft}/attachments`,
      headers,
      body: `... (${bytes} bytes in base64)`,
    })),
    { method: 'POST', path: `${draft}/send`, headers: { 'Content-Length': '0' } },
  ];
};
