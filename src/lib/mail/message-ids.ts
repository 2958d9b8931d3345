import * as z from 'zod';
import { isAbsent } from './absent.ts';
import { report, text } from './schema-faults.ts';
import { type Fault, lineFault } from './text-rules.ts';

/** The longest seen in the wild have some 250 characters; with the name of the field a line stays below 998. */
const MAX_ID = 500;
/** A thread longer than this keeps its first and last ids in practice (RFC 5322, 3.6.4 sets no limit). */
const MAX_REFERENCES = 100;
/** All of them in one field: some servers reject a header of 64 KB. */
const MAX_REFERENCES_LENGTH = 16_000;

/** RFC 5322, 3.6.4: dot-atom-text or a domain literal after the @, neither quotes nor comments. */
const ATOMS = String.raw`[\w!#$%&'*+/=?^\`{|}~-]+(?:\.[\w!#$%&'*+/=?^\`{|}~-]+)*`;
const MESSAGE_ID = new RegExp(String.raw`^(?:${ATOMS})@(?:${ATOMS}|\[[!-Z^-~]*\])$`);

const INVALID: Fault = {
  code: 'MESSAGE_ID_INVALID',
  expected: `a message id of at most ${MAX_ID} characters, such as <order-7@contoso.com>`,
};

const bare = (written: string): string => written.trim().replace(/^<(.*)>$/s, '$1');

const idFault = (written: string): Fault | undefined => {
  if (written.length > MAX_ID + 2) return INVALID;
  const id = bare(written);
  return lineFault(id) ?? (MESSAGE_ID.test(id) ? undefined : INVALID);
};

/** With its angle brackets, as it stands in a header and as Graph gives it. */
const bracketed = (written: string): string => `<${bare(written)}>`;

/** The id of an email, with angle brackets or without. */
export const messageId = text(idFault).transform(bracketed);

/** Ids in one text, as they stand in a header. `><` parts them too: some libraries write no space. */
const split = (written: string): readonly string[] =>
  written
    .replaceAll('><', '> <')
    .split(/[\s,]+/)
    .filter((one) => one !== '');

/** Ids as a list, or as one text of them. */
export const references = z.unknown().transform((input, context): readonly string[] => {
  const tooMany = (): readonly string[] => {
    report(
      context,
      {
        code: 'MESSAGE_ID_INVALID',
        expected: `at most ${MAX_REFERENCES} message ids with ${MAX_REFERENCES_LENGTH} characters together`,
      },
      input,
    );
    return [];
  };
  if (typeof input === 'string' && input.length > MAX_REFERENCES_LENGTH + MAX_REFERENCES) return tooMany();
  const written: unknown = typeof input === 'string' ? split(input) : input;
  if (!Array.isArray(written)) {
    report(context, { code: 'FIELD_INVALID', expected: 'a list of message ids, or one text of them' }, input);
    return [];
  }
  if (written.length > MAX_REFERENCES) return tooMany();
  const ids: string[] = [];
  for (const [index, one] of written.entries()) {
    if (isAbsent(one)) continue;
    const at = typeof input === 'string' ? [] : [index];
    const fault: Fault | undefined =
      typeof one === 'string' ? idFault(one) : { code: 'FIELD_INVALID', expected: 'text' };
    if (fault !== undefined) report(context, fault, one, at);
    else ids.push(bracketed(String(one)));
  }
  return ids.join(' ').length > MAX_REFERENCES_LENGTH ? tooMany() : ids;
});
