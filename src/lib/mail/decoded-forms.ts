/** More layers than these nobody writes who means to be read. */
const MAX_ROUNDS = 6;
const MAX_FORMS = 40;
const ENCODED_WORD = /=\?([^?\s]*)\?([^?\s]*)\?([^?]*)\?=/g;
const BETWEEN_WORDS = /(\?=)\s+(?==\?)/g;
/** The signs of an address as html, JSON and URLs can write them. */
const ENTITY = /&#(?:x([\da-f]{1,6})|(\d{1,7}));?|&(commat|period|lt|gt);/gi;
const NAMED: Readonly<Record<string, string>> = { commat: '@', period: '.', lt: '<', gt: '>' };

const hexBytes = (text: string, sign: string): string =>
  text.replaceAll(new RegExp(`(?:${sign}[\\da-f]{2})+`, 'gi'), (run) =>
    Buffer.from(run.replaceAll(sign, ''), 'hex').toString(),
  );

const character = (code: number): string => (code <= 0x10_ffff ? String.fromCodePoint(code) : '');

/** RFC 2047. Undefined for one in a charset or an encoding that is not known here, but may be to a reader. */
const decodedWords = (text: string): string | undefined => {
  let isKnown = true;
  const decoded = text
    .replaceAll(BETWEEN_WORDS, '$1')
    .replaceAll(ENCODED_WORD, (_, charset: string, encoding: string, content: string) => {
      const bytes = /^b$/i.test(encoding)
        ? Buffer.from(content, 'base64')
        : Buffer.from(
            content
              .replaceAll('_', ' ')
              .replaceAll(/=([\da-f]{2})/gi, (_hex, hex: string) =>
                String.fromCharCode(Number.parseInt(hex, 16)),
              ),
            'latin1',
          );
      try {
        // RFC 2231, 5: a language can follow the charset.
        const decoder = new TextDecoder(charset.replace(/\*.*$/, ''));
        isKnown &&= /^[bq]$/i.test(encoding);
        return decoder.decode(bytes);
      } catch {
        isKnown = false;
        return '';
      }
    });
  return isKnown ? decoded : undefined;
};

/**
 * A text, and what it says where it is read as encoded words, percent-encoded, quoted-printable, html or JSON, one in another too: every
 * form in which a program could find an address in it. Undefined where nobody can say, as it is encoded in a way not known here.
 */
export const decodedForms = (text: string): readonly string[] | undefined => {
  const forms = new Set<string>();
  const waiting = [text];
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    for (const one of waiting.splice(0)) {
      // Wide and small forms of the signs too, and nothing that is not seen.
      const form = one.normalize('NFKC').replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '');
      if (forms.has(form)) continue;
      forms.add(form);
      if (forms.size > MAX_FORMS) return undefined;
      const words = decodedWords(form);
      if (words === undefined) return undefined;
      waiting.push(
        words,
        hexBytes(form, '%'),
        hexBytes(form, '='),
        form
          .replaceAll(ENTITY, (_, hex?: string, decimal?: string, name?: string) =>
            name === undefined
              ? character(Number.parseInt(hex ?? decimal ?? '', hex === undefined ? 10 : 16))
              : (NAMED[name.toLowerCase()] ?? ''),
          )
          .replaceAll(/\\u\{?([\da-f]{4})\}?/gi, (_, hex: string) => character(Number.parseInt(hex, 16)))
          .replaceAll(/\\x([\da-f]{2})/gi, (_, hex: string) => character(Number.parseInt(hex, 16))),
      );
    }
    if (waiting.every((one) => forms.has(one))) return [...forms];
  }
  return undefined;
};
