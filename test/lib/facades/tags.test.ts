import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toTag } from '../../../src/lib/facades/tags.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';

test.each([
  [['welcome'], 'welcome'],
  [['Order confirmation'], 'Order-confirmation'],
  [['a/b:c&d'], 'a-b-c-d'],
  [['user_id', '4711'], 'user_id.4711'],
  [['version', '1.2'], 'version.1.2'],
  [['x'.repeat(50)], 'x'.repeat(50)],
])('%j becomes a tag', (parts, tag) => expect(toTag(...parts)).toBe(tag));

test.each([
  ['is not ASCII', ['薪資']],
  ['is longer than a tag', ['x'.repeat(51)]],
  ['is too long with its value', ['x'.repeat(30), 'y'.repeat(20)]],
  ['may be an address, which must not be logged', ['chan@contoso.example']],
  ['has a line break', ['a\nb']],
  ['is empty', ['']],
])('what %s is no tag', (_why, parts) => expect(toTag(...parts)).toBeUndefined());

test('what becomes a tag is one by the rules of an email', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const tag = toTag(text);
      if (tag !== undefined)
        expect(readMail({ to: 'a@b.example', subject: '', text: '', tags: [tag] }).tags).toEqual([tag]);
    }),
  );
});
