import type { ErrorCode } from '../error-catalogue.ts';
import { AppError, upstreamFacts } from '../errors.ts';
import type { RegisteredCredential, Registration } from '../ports.ts';
import type { GraphAnswer, GraphCall } from './graph-call.ts';
import { certificateIn, secretIn } from './registered-credential.ts';

/** With `$select`, Graph gives the public part of each certificate too (graph: keyCredential, key). */
const READ_UP_TO = 1024 * 1024;

type Answered = Extract<GraphAnswer, { readonly kind: 'answered' }>;

/** Of policies for applications, and of limits (answers that people have published; Graph documents no list). */
const REFUSED: Readonly<Record<string, ErrorCode>> = {
  CredentialTypeNotAllowedAsPerAppPolicy: 'CLIENT_SECRETS_NOT_ALLOWED',
  CredentialInvalidLifetimeAsPerAppPolicy: 'CLIENT_SECRET_LIFETIME_LIMITED',
  TooManyAppPasswords: 'CLIENT_SECRETS_TOO_MANY',
  Directory_ResourceSizeExceeded: 'CLIENT_SECRETS_TOO_MANY',
};
/** For the same in words, under a code that says less. */
const REFUSED_IN_WORDS: readonly (readonly [RegExp, ErrorCode])[] = [
  [/credential type not allowed as per assigned policy/i, 'CLIENT_SECRETS_NOT_ALLOWED'],
  [/credential lifetime exceeds the max value allowed/i, 'CLIENT_SECRET_LIFETIME_LIMITED'],
  [/not allowed to add \d+ passwords|credential limit has been reached/i, 'CLIENT_SECRETS_TOO_MANY'],
];
/** What Graph says where there is none, with 400 or 404. */
const GONE = /no password credential found with keyid/i;

/** The registration with this client id (graph: application, addPassword, removePassword). No value of a secret is in an error. */
export const openRegistration = (call: GraphCall, clientId: string): Registration => {
  const path = `/applications(appId='${encodeURIComponent(clientId)}')`;
  const post = (action: string, body: unknown): Promise<Answered> =>
    answered(
      call({
        method: 'POST',
        path: `${path}/${action}`,
        contentType: 'application/json',
        body: Buffer.from(JSON.stringify(body)),
      }),
    );

  return {
    read: async () => {
      const answer = await answered(
        call({
          method: 'GET',
          path: `${path}?$select=id,passwordCredentials,keyCredentials`,
          readUpTo: READ_UP_TO,
        }),
      );
      if (answer.status === 403) return undefined;
      if (answer.status !== 200) throw refusal(answer);
      return credentialsIn(answer);
    },
    addPassword: async (displayName, expiresOn) => {
      const answer = await post('addPassword', {
        passwordCredential: { displayName, endDateTime: expiresOn.toISOString() },
      });
      if (answer.status !== 200) throw refusal(answer);
      return addedIn(answer);
    },
    removePassword: async (keyId) => {
      const answer = await post('removePassword', { keyId });
      if (answer.status !== 204 && !GONE.test(answer.text)) throw refusal(answer);
    },
  };
};

const answered = async (calling: Promise<GraphAnswer>): Promise<Answered> => {
  const answer = await calling;
  if (answer.kind !== 'answered') throw new AppError('GRAPH_UNREACHABLE');
  return answer;
};

const refusal = (answer: Answered): AppError => new AppError(codeOf(answer), upstreamFacts(answer));

const codeOf = ({ status, upstreamCode = '', text }: Answered): ErrorCode => {
  if (status === 401) return 'GRAPH_TOKEN_NOT_ACCEPTED';
  if (status === 403) return 'REGISTRATION_ACCESS_DENIED';
  if (status === 404) return 'REGISTRATION_NOT_FOUND';
  if (status === 429) return 'GRAPH_THROTTLED';
  if (status >= 500) return 'GRAPH_UNAVAILABLE';
  if (status < 400) return 'REGISTRATION_ANSWER_UNEXPECTED';
  return (
    (Object.hasOwn(REFUSED, upstreamCode) ? REFUSED[upstreamCode] : undefined) ??
    REFUSED_IN_WORDS.find(([words]) => words.test(text))?.[1] ??
    'REGISTRATION_CHANGE_REFUSED'
  );
};

/** The body as an object. Its text is in no error: it can hold a secret. */
const parse = ({ text }: Answered): Readonly<Record<string, unknown>> => {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null) return body as Record<string, unknown>;
  } catch {
    // Falls through
  }
  throw new AppError('REGISTRATION_ANSWER_UNEXPECTED');
};

const credentialsIn = (answer: Answered): readonly RegisteredCredential[] => {
  const { passwordCredentials, keyCredentials } = parse(answer);
  if (!Array.isArray(passwordCredentials) || !Array.isArray(keyCredentials))
    throw new AppError('REGISTRATION_ANSWER_UNEXPECTED', upstreamFacts(answer));
  return [...passwordCredentials.map(secretIn), ...keyCredentials.map(certificateIn)];
};

const addedIn = (answer: Answered) => {
  const { keyId, secretText, endDateTime } = parse(answer);
  const expiresOn = new Date(String(endDateTime));
  if (typeof keyId !== 'string' || typeof secretText !== 'string' || Number.isNaN(expiresOn.getTime()))
    throw new AppError('REGISTRATION_ANSWER_UNEXPECTED', upstreamFacts(answer));
  return { keyId, value: secretText, expiresOn };
};
