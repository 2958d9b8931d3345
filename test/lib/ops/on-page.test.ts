import { describe, expect, test } from 'vitest';
import { catalogue } from '../../../src/lib/error-catalogue.ts';
import { html } from '../../../src/lib/ops/html.ts';
import { onPage } from '../../../src/lib/ops/on-page.ts';
import type { View } from '../../../src/lib/ops/view.ts';
import { OPS_WORDS } from '../../../src/lib/ops/words.ts';

const view = { language: 'en', words: OPS_WORDS.en } as View;
const said = (text: string, as: View = view): string => html`${onPage(as, text)}`.text;
const plain = (text: string): string =>
  said(text)
    .replaceAll(/<[^>]+>/g, '')
    .replaceAll('&quot;', '"');

describe('on the page, a remedy names the button or page instead of the command', () => {
  test.each([
    ['replay it: npm run mail -- replay <id>. If', 'replay it with the button Replay. If'],
    ['Close it: `npm run mail -- close <id>`. To', 'Close it with the button Close. To'],
    [
      'close it: npm run mail -- close <id> --note "found in Sent Items".',
      'close it with the button Close and the note "found in Sent Items".',
    ],
    [
      'close this one: npm run mail -- close <id> --note "..."',
      'close this one with the button Close and a note',
    ],
    [
      'the email that `detail` names: `npm run mail -- show <its id>`. If',
      'the email that `detail` names: search for its ID. If',
    ],
    ['To see its state: npm run mail -- show <id>', 'To see its state: open the email'],
    [
      'List them with their reasons: npm run mail -- list',
      'List them with their reasons on the page Held emails',
    ],
    [
      'Send a test email from it: npm run doctor -- --send-to <you@your.domain> --from <address>',
      'Send a test email from it on the page Test email',
    ],
  ])('%s', (text, expected) => {
    expect(plain(text)).toBe(expected);
  });

  test('in its language', () => {
    expect(
      said('replay it: npm run mail -- replay <id>.', {
        language: 'zh-Hant',
        words: OPS_WORDS['zh-Hant'],
      } as View),
    ).toBe('replay it with the button <b lang="zh-Hant">重送</b>.');
  });

  test.each(Object.entries(catalogue))('%s', (_code, { remedy }) => {
    expect(plain(remedy)).not.toMatch(/npm run (?:mail|doctor)/);
  });
});

test('what has no button or page stays a command, and is text', () => {
  expect(said('`npm run callers -- enable <NAME>`')).toBe('`npm run callers -- enable &lt;NAME&gt;`');
});
