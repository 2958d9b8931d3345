import { expect, test } from 'vitest';
import type { MailStatus } from '../../../src/lib/desk/mail-status.ts';
import { heldPage } from '../../../src/lib/ops/held-page.ts';
import { html } from '../../../src/lib/ops/html.ts';
import { mailPage } from '../../../src/lib/ops/mail-page.ts';
import type { View } from '../../../src/lib/ops/view.ts';
import { person } from '../../../src/lib/ops/view.ts';
import { OPS_WORDS } from '../../../src/lib/ops/words.ts';

const view: View = {
  base: '/api/ops',
  language: 'en',
  words: OPS_WORDS.en,
  now: new Date('2026-03-02T08:00:00Z'),
  version: '1.2.3',
  otherLanguageUrl: '/api/ops/held',
  formToken: 'the-token',
  operator: { name: 'Grace', with: 'Entra', mayOperate: true } as never,
};

const at = '2026-03-02T07:00:00Z';
const held = (id: string, code: string, events: readonly string[] = []): MailStatus => ({
  id,
  state: 'held',
  sender: 'payroll@contoso.example',
  recipients: 1,
  tags: [],
  acceptedAt: at,
  updatedAt: at,
  reason: { code },
  timeline: events.map((event) => ({ at, event })),
});

const CERTAIN = held('a', 'GRAPH_THROTTLED', ['accepted', 'attempt unknown', 'attempt not-sent']);
const IN_DOUBT = [
  held('b', 'OUTCOME_UNKNOWN'),
  held('c', 'HOST_GAVE_UP'),
  held('d', 'GIVEN_UP', ['accepted', 'attempt unknown', 'held']),
];
const shown = (...mails: readonly MailStatus[]): string =>
  html`${heldPage(view, { mails }, undefined).content}`.text;
const one = (mail: MailStatus): string =>
  html`${mailPage(view, { mail, acts: [], deliveries: [], isBounced: false, canTrace: false }).content}`.text;

test('the buttons are above the held emails, with one box for all of the page', () => {
  const text = shown(CERTAIN);
  expect(text.indexOf('value="close"')).toBeLessThan(text.indexOf('held-list'));
  expect(text).toContain('name="all"');
  expect(text).toContain('<input type="hidden" name="listed" value="a">');
});

test.each(IN_DOUBT)(
  'where $reason.code leaves in doubt whether it was sent, the page says so, and replay does not invite',
  (mail) => {
    for (const text of [shown(CERTAIN, mail), one(mail)]) {
      expect(text).toContain('value="replay" class="secondary" aria-describedby="doubt"');
      expect(text).toMatch(/id="doubt">[^<]*may send (?:it|them) twice/);
    }
    expect(shown(CERTAIN, mail).match(/may have been sent</g)).toHaveLength(1);
  },
);

test('an email that was certainly not sent has replay as its first button', () => {
  for (const text of [shown(CERTAIN), one(CERTAIN)]) {
    expect(text).toContain('value="replay">');
    expect(text).not.toContain('doubt');
  }
});

test('a name that runs from right to left is isolated from its address', () => {
  expect(person('שלום <rtl@example.com>').text).toBe('<bdi>שלום</bdi> &lt;<bdi>rtl@example.com</bdi>&gt;');
  expect(person('rtl@example.com').text).toBe('<bdi>rtl@example.com</bdi>');
});
