/** An enhanced status code (RFC 3463): class, subject, detail. Not part of a version, a date or an IP address. */
const CODE = /(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?!\.?\d)/g;
/** After the reply code of SMTP (RFC 5321, 4.2), or the sign that Exchange and other servers put before it. */
const AFTER_REPLY = /(?:[245]\d\d[ -]|#)([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)/;

export const isEnhancedCode = (text: string): boolean => /^[245]\.\d{1,3}\.\d{1,3}$/.test(text);

/** Whether a code says more than that it failed: many servers write 5.0.0 and put the reason into the text. */
export const isSpecific = (code: string): boolean => isEnhancedCode(code) && !code.endsWith('.0.0');

/** The code in a text: the one that a server said, else the only one that is in it. */
export const codeIn = (text: string): string | undefined => {
  const said = AFTER_REPLY.exec(text)?.[1];
  if (said !== undefined) return said;
  const found = new Set(text.match(CODE) ?? []);
  return found.size === 1 ? [...found][0] : undefined;
};
