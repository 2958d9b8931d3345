import { expect, test } from 'vitest';
import { html } from '../../../src/lib/ops/html.ts';
import { searchPage } from '../../../src/lib/ops/search-page.ts';
import type { View } from '../../../src/lib/ops/view.ts';
import { OPS_WORDS } from '../../../src/lib/ops/words.ts';

const view: View = {
  base: '/api/ops',
  language: 'en',
  words: OPS_WORDS.en,
  now: new Date('2026-03-02T08:00:00Z'),
  version: '1.2.3',
  otherLanguageUrl: '/api/ops/mail',
  formToken: 'the-token',
};

test('the next page of a search that has no address is asked for by a form with the token and every field', () => {
  const fields = { recipient: 'ada@fabrikam.example', state: 'sent' };
  const { content } = searchPage(view, fields, {
    mails: [],
    next: { fields, after: '1~a' },
    isIncomplete: false,
  });
  const next = html`${content}`.text.split('</section>').at(-2)?.split('<form').at(-1) ?? '';
  for (const [name, value] of [['token', 'the-token'], ...Object.entries(fields), ['after', '1~a']])
    expect(next).toContain(`<input type="hidden" name="${name}" value="${value}">`);
  expect(next).toContain('method="post" action="/api/ops/mail"');
});
