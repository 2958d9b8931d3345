import { expect, test } from 'vitest';
import { html } from '../../../src/lib/ops/html.ts';
import { type SearchFields, searchPage } from '../../../src/lib/ops/search-page.ts';
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

test('a row of the results says state, time, sender and reason first, is named by its id, and each cell says its column', () => {
  const mail = {
    id: '943e087d-c918-86df-b247-4c5e4aeb93a1',
    state: 'held',
    sender: 'payroll@contoso.example',
    recipients: 2,
    tags: [],
    acceptedAt: '2026-03-02T07:00:00Z',
    updatedAt: '2026-03-02T07:00:00Z',
    timeline: [],
    reason: { code: 'OUTCOME_UNKNOWN' },
  } as const;
  const { content } = searchPage(view, {}, { mails: [mail], isIncomplete: false });
  const [row = ''] = /<tbody.*<\/tbody>/s.exec(html`${content}`.text) ?? [];
  const cells = [...row.matchAll(/<(t[dh])[^>]* data-column="([^"]+)"/g)].map(([, cell, column]) => [
    cell,
    column,
  ]);
  expect(cells).toEqual([
    ['td', 'State'],
    ['td', 'Accepted'],
    ['td', 'Sender'],
    ['td', 'Reason'],
    ['td', 'Recipients'],
    ['td', 'Caller'],
    ['th', 'Email'],
  ]);
});

test.each(['en', 'zh-Hant'] as const)(
  'nothing found by a Message-ID says when the relay knows one, and what to search by instead, in %s',
  (language) => {
    const textOf = (fields: SearchFields): string => {
      const { content } = searchPage({ ...view, language, words: OPS_WORDS[language] }, fields, {
        mails: [],
        isIncomplete: false,
      });
      return html`${content}`.text;
    };
    const { unknownMessageId } = OPS_WORDS[language].search;
    expect(textOf({ internetMessageId: '<a@b.example>' })).toContain(unknownMessageId);
    expect(textOf({ sender: 'a@b.example' })).not.toContain(unknownMessageId);
  },
);

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
