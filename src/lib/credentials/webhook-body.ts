import { defined } from '../defined.ts';
import type { Language } from '../mail/language.ts';
import type { CredentialWarning } from './credential-warning.ts';
import { warningFacts } from './warning-facts.ts';
import type { WarningContext, WarningText, WarningWords } from './warning-text.ts';
import { WARNING_WORDS } from './warning-words.ts';

export type WebhookContext = WarningContext & {
  readonly language: Language;
  readonly day: string;
  /** Slack takes a form of its own; Teams and all others get the same. */
  readonly isSlack: boolean;
};

/** Teams takes 28 KB (learn.microsoft.com/connectors/teams, limits of messages and cards). */
const MOST_BYTES = 27_000;
/** Slack takes 50 blocks (docs.slack.dev, reference: blocks); one of them says what comes, and one how many more there are. */
const MOST_SHOWN = 40;
/** Of one value on a card. */
const LONGEST_PART = 1400;
/** Slack takes 3000 characters in the text of one block, once they are escaped (docs.slack.dev, reference: section block). */
const LONGEST_SECTION = 2900;
const LONGEST_HEADLINE = 500;
const LONGEST_FACTS = 1200;
/** What Slack shows of the message in a notification; longer ones it cuts at 40,000. */
const LONGEST_TEXT = 30_000;

/** Whether an address is one of Slack's incoming webhooks. */
export const isSlackWebhook = (url: string): boolean =>
  /^hooks\.slack(-gov)?\.com$/.test(new URL(url).hostname);

type Message = {
  readonly opening: string;
  readonly texts: readonly WarningText[];
  readonly warnings: readonly CredentialWarning[];
  readonly more: readonly string[];
  readonly words: WarningWords;
};

/** The warnings of one run as JSON for the webhook: as many as fit, what is urgent first. */
export const toWebhookJson = (warnings: readonly CredentialWarning[], context: WebhookContext): string => {
  const words = WARNING_WORDS[context.language];
  const write = context.isSlack ? slackMessage : teamsMessage;
  const jsonOf = (count: number): string => {
    const shown = warnings.slice(0, count);
    const left = warnings.length - shown.length;
    const message = write({
      words,
      warnings: shown,
      texts: shown.map((warning) => words.describe(warning, context)),
      opening: words.opening(warnings.length, context.vault, context.day),
      more: left > 0 ? [words.more(left)] : [],
    });
    return JSON.stringify(message);
  };
  for (let count = Math.min(warnings.length, MOST_SHOWN); ; count -= 1) {
    const json = jsonOf(count);
    if (count === 0 || Buffer.byteLength(json) <= MOST_BYTES) return json;
  }
};

const cut = (text: string): string =>
  text.length > LONGEST_PART ? `${text.slice(0, LONGEST_PART)}...` : text;

const linesOf = ({ facts, breaks }: WarningText, colon: string): readonly string[] => [
  ...facts.map(([label, value]) => `${label}${colon}${value}`),
  ...(breaks === undefined ? [] : [breaks]),
];

const plainText = ({ opening, texts, more }: Message): string =>
  [opening, ...texts.map(({ headline }) => `- ${headline}`), ...more].join('\n');

/** docs.slack.dev/messaging/formatting-message-text: what must be escaped in mrkdwn. */
const escapeSlack = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Escaped, and cut between two characters so that it is never longer than that. */
const toSlack = (text: string, longest: number): string => {
  const escaped = escapeSlack(text);
  if (escaped.length <= longest) return escaped;
  let kept = '';
  for (const character of text) {
    const next = kept + escapeSlack(character);
    if (next.length > longest - 3) break;
    kept = next;
  }
  return `${kept}...`;
};

/** As many of the lines as fit; a command is whole or left out, because nobody can run half of one. */
const fitting = (lines: readonly string[], longest: number): string => {
  let text = '';
  for (const line of lines) {
    const next = text === '' ? line : `${text}\n${line}`;
    if (next.length > longest) return `${text}\n...`;
    text = next;
  }
  return text;
};

const slackMessage = (message: Message): object => {
  const { opening, texts, more, words } = message;
  const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } });
  const code = (run: string): string => `\`\`\`${escapeSlack(run)}\`\`\``;
  return {
    text: toSlack(plainText(message), LONGEST_TEXT),
    blocks: [
      section(toSlack(opening, LONGEST_SECTION)),
      ...texts.map((text) =>
        section(
          fitting(
            [
              `*${toSlack(text.headline, LONGEST_HEADLINE)}*`,
              toSlack(linesOf(text, words.colon).join('\n'), LONGEST_FACTS),
              `*${words.whatToDo}*`,
              ...firstSteps(text).map((step) =>
                'say' in step ? toSlack(step.say, LONGEST_PART) : code(step.run),
              ),
            ],
            LONGEST_SECTION,
          ),
        ),
      ),
      ...more.map((line) => section(toSlack(line, LONGEST_SECTION))),
    ],
  };
};

/** The first way to solve it: a card is no manual. */
const firstSteps = ({ steps }: WarningText): WarningText['steps'] => {
  const second = steps.findIndex((step, index) => 'say' in step && index > 0);
  return second === -1 ? steps : steps.slice(0, second);
};

const block = (text: string, more: object = {}) => ({ type: 'TextBlock', text, wrap: true, ...more });

/** A card reads Markdown in its texts: what is meant as it is written must not look like it. */
const escapeCard = (text: string): string => text.replaceAll(/[\\*_~`[\]]/g, '\\$&');

const teamsMessage = (message: Message): object => {
  const { opening, texts, more, words, warnings } = message;
  return {
    // A workflow of Teams takes this (learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors, Adaptive Cards).
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          msteams: { width: 'Full' },
          body: [
            block(escapeCard(opening)),
            ...texts.flatMap((text) => [
              block(escapeCard(text.headline), { weight: 'Bolder', separator: true }),
              {
                type: 'FactSet',
                facts: text.facts.map(([title, value]) => ({ title, value: escapeCard(cut(value)) })),
              },
              ...(text.breaks === undefined ? [] : [block(escapeCard(text.breaks))]),
              block(words.whatToDo, { weight: 'Bolder' }),
              ...firstSteps(text).map((step) =>
                'say' in step
                  ? block(escapeCard(step.say))
                  : block(escapeCard(step.run), { fontType: 'Monospace' }),
              ),
            ]),
            ...more.map((line) => block(escapeCard(line))),
          ],
        },
      },
    ],
    // For services that read neither form.
    text: plainText(message),
    warnings: warnings.map((warning, index) => ({
      ...defined({ headline: texts[index]?.headline }),
      ...warningFacts(warning),
    })),
  };
};
