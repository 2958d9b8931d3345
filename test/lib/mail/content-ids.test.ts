import { expect, test } from 'vitest';
import { referredContentIds } from '../../../src/lib/mail/content-ids.ts';

const refers = (html: string, cid: string) => referredContentIds(html, new Set([cid])).has(cid);

test.each([
  ['<img src="cid:logo">', 'logo'],
  ["<img src='cid:logo'>", 'logo'],
  ['<img src=cid:logo>', 'logo'],
  ['<img src=" CID:Logo ">', 'logo'],
  ['<img src="cid:logo%40contoso">', 'logo@contoso'],
  ['<img src="cid:logo@contoso">', 'logo@contoso'],
  ['<img src="cid:a&amp;b&#64;c">', 'a&b@c'],
  ['<img src="cid:100%">', '100%'],
  ['<img src="cid:it\'s(1)">', "it's(1)"],
  ['<td background="cid:logo">', 'logo'],
  ['<p style="background: url(cid:logo)">', 'logo'],
  ['<p style="background: url(\'cid:logo\')">', 'logo'],
  ['<p style="background: url(&quot;cid:logo&quot;)">', 'logo'],
])('%s refers to %s', (html, cid) => {
  expect(refers(html, cid)).toBe(true);
});

test.each([
  ['<p>cid:logo</p>', 'logo'],
  ['<img src="cid:logo2">', 'logo'],
  ['<img src="https://contoso.example/cid:logo">', 'logo'],
  ['', 'logo'],
])('%s does not refer to %s', (html, cid) => {
  expect(refers(html, cid)).toBe(false);
});
