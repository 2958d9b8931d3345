import { expect, test } from 'vitest';
import { textOfHtml } from '../../../src/lib/inbox/html-text.ts';

test.each([
  ['<p>One</p><p>two</p>', 'One two'],
  ['<head><title>No</title></head><body>Yes</body>', 'Yes'],
  ['a<!-- <b>no</b> -->b', 'a b'],
  ['<STYLE>p{}</STYLE >kept', 'kept'],
  ['&lt;b&gt; &#34218;&#x8CC7; &unknown; &#0;', '<b> 薪資 &unknown; &#0;'],
  ['<header>kept</header>', 'kept'],
  ['cut <script>off', 'cut'],
  ['cut <a href="', 'cut'],
  ['', ''],
])('the words of %j are %j', (html, words) => {
  expect(textOfHtml(html)).toBe(words);
});

test('markup that never closes is read in one pass', () => {
  // Read again for each that never closes, this would not end within the time of a test.
  textOfHtml('<p><style'.repeat(400_000));
  textOfHtml('<!--'.repeat(400_000));
  textOfHtml('<style></style'.repeat(200_000));
});
