import { type Html, html, type Part } from './html.ts';
import type { View } from './view.ts';

type Way = (label: Labels) => Part;
type Labels = Readonly<Record<'replay' | 'close' | 'held' | 'test', Html>>;

/** The commands of the catalogue and the doctor that have a button or a page here, with what is before and after them. */
const COMMANDS =
  /:? `?npm run (?:(?<action>mail -- (?:replay|close|show|list))|doctor -- --send-to <you@your\.domain>(?: --from <address>)?)(?: (?<which><[\w ]+>))?(?: --note "(?<note>[^"]*)")?`?/g;

const WAYS: Readonly<Record<string, Way>> = {
  'mail -- replay': ({ replay }) => html` with the button ${replay}`,
  'mail -- close': ({ close }) => html` with the button ${close}`,
  'mail -- list': ({ held }) => html` on the page ${held}`,
  'mail -- show': () => ': open the email',
};

/** English text that speaks of commands, with the buttons and pages that do the same. What has none here stays a command. */
export const onPage = ({ words, language }: View, text: string): Part => {
  const label = (name: string): Html => html`<b lang="${language}">${name}</b>`;
  const labels: Labels = {
    replay: label(words.mail.replay),
    close: label(words.mail.close),
    held: label(words.pages.held),
    test: label(words.pages.test),
  };
  const parts: Part[] = [];
  let end = 0;
  for (const { 0: all, index, groups } of text.matchAll(COMMANDS)) {
    const { action, which, note } = groups ?? {};
    parts.push(text.slice(end, index), toWay(action, which)(labels), noted(note));
    end = index + all.length;
  }
  return [...parts, text.slice(end)];
};

const toWay = (action: string | undefined, which: string | undefined): Way => {
  if (action === undefined) return ({ test }) => html` on the page ${test}`;
  // Another one than that of the page.
  if (action === 'mail -- show' && which !== '<id>') return () => ': search for its ID';
  return WAYS[action] ?? (() => '');
};

const noted = (note: string | undefined): Part => {
  if (note === undefined) return undefined;
  return note === '...' ? ' and a note' : ` and the note "${note}"`;
};
