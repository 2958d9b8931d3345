/** What a client sent to the token endpoint, still unjudged. */
export type TokenRequest = {
  readonly tenant: string;
  readonly grantType: string | undefined;
  readonly clientId: string | undefined;
  readonly clientSecret: string | undefined;
  readonly clientAssertion: string | undefined;
  readonly scope: string | undefined;
};

/** Client id and secret may stand in the form or in an HTTP Basic header (RFC 6749 §2.3.1); the form wins. */
export const parseTokenRequest = (
  tenant: string,
  headers: { readonly authorization?: string | undefined; readonly 'content-type'?: string | undefined },
  body: Buffer,
): TokenRequest => {
  // Entra ignores a body of another type and then misses its first parameter.
  const isForm = headers['content-type']?.toLowerCase().startsWith('application/x-www-form-urlencoded');
  const form = new URLSearchParams(isForm ? body.toString('utf8') : '');
  const basic = parseBasic(headers.authorization);
  const field = (name: string) => form.get(name) || undefined;
  return {
    tenant,
    grantType: field('grant_type'),
    clientId: field('client_id') ?? basic?.id,
    clientSecret: field('client_secret') ?? basic?.secret,
    clientAssertion: field('client_assertion'),
    scope: field('scope'),
  };
};

const parseBasic = (
  authorization: string | undefined,
): { readonly id: string; readonly secret: string } | undefined => {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [id = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  const secret = rest.join(':');
  return id && secret ? { id: formDecode(id), secret: formDecode(secret) } : undefined;
};

/** Both halves are form-encoded before they are joined, so a `+` is a space and `%2B` a plus. */
const formDecode = (text: string) =>
  new URLSearchParams(`value=${text.replaceAll('&', '%26')}`).get('value') ?? '';
