const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The text of a queue message under host.json's `messageEncoding`; undefined when it is not in that encoding. */
export const decodeMessage = (raw: string, encoding: 'none' | 'base64'): string | undefined => {
  if (encoding === 'none') return raw;
  const compact = raw.replaceAll(/\s/g, '');
  return BASE64.test(compact) ? Buffer.from(compact, 'base64').toString('utf8') : undefined;
};
