/** What came back from a request to the relay, as far as the door needs it. */
export type RelayAnswer =
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly body: RelayBody;
      /** Undefined where Retry-After is absent or malformed. */
      readonly retryAfterMs: number | undefined;
    }
  /** No response, or not a whole one: the relay may have taken the email. */
  | { readonly kind: 'none'; readonly why: 'timeout' | 'network'; readonly cause: string };

/** A body that the relay wrote; anything else comes from the platform or from a proxy. */
export type RelayBody =
  | { readonly kind: 'mail'; readonly id: string; readonly state: string }
  | {
      readonly kind: 'problem';
      readonly code: string;
      readonly title: string;
      readonly remedy: string;
      readonly detail: string;
      readonly problems: readonly RelayProblem[];
      /** Of the email at the relay, where it is known there. */
      readonly mailId?: string;
    }
  | { readonly kind: 'foreign' };

type RelayProblem = { readonly code: string; readonly pointer: string; readonly expected: string };

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const MAIL_ID = /^[\w-]{1,64}$/;

const problemOf = (value: unknown): RelayProblem => {
  const { code, pointer, expected } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return { code: textOf(code), pointer: textOf(pointer), expected: textOf(expected) };
};

const parse = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
};

/** Reads a body by its content type: a page of a proxy with status 200 is not a response of the relay. */
export const readBody = (contentType: string | null, text: string): RelayBody => {
  const type = contentType?.split(';')[0]?.trim().toLowerCase();
  const body = parse(text);
  if (type === 'application/problem+json' && typeof body.code === 'string')
    return {
      kind: 'problem',
      code: body.code,
      title: textOf(body.title),
      remedy: textOf(body.remedy),
      detail: textOf(body.detail),
      problems: Array.isArray(body.problems) ? body.problems.map(problemOf) : [],
      ...(MAIL_ID.test(textOf(body.id)) ? { mailId: textOf(body.id) } : {}),
    };
  if (type === 'application/json' && typeof body.id === 'string' && typeof body.state === 'string')
    return { kind: 'mail', id: body.id, state: body.state };
  return { kind: 'foreign' };
};
