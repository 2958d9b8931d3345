import type { Relay } from '../local/find-relay.ts';
import { SEARCH_OPTIONS } from './mail-options.ts';
import type { DeskMail } from './mail-page.ts';
import { callRelay, UsageError } from './relay-call.ts';

type Page = { readonly mails: readonly DeskMail[]; readonly next?: string; readonly incomplete?: true };

export type Found = {
  readonly mails: readonly DeskMail[];
  /** What the reader must know beside them. */
  readonly notes: readonly string[];
};

const MOST_ON_A_PAGE = 200;
const ANY = 'any';

/** The relay speaks of its parameters, the operator has written options. */
const inOptions = (message: string): string =>
  Object.entries(SEARCH_OPTIONS).reduce(
    (text, [option, field]) => text.replaceAll(`\`${field}\``, `--${option}`),
    message,
  );

const askPage = async (relay: Relay, body: unknown): Promise<Page> => {
  try {
    return (await callRelay(relay, 'POST', '/api/mail/search', { body })) as Page;
  } catch (error) {
    const { message } = error as Error;
    if (message.startsWith('QUERY_INVALID'))
      throw new UsageError(inOptions(message.split('\n')[1] ?? message));
    if (message.startsWith('HTTP 404'))
      throw new Error(
        `${relay.url.origin} has no search: it is an earlier version of the relay. Upgrade it, or use the command of its version.`,
      );
    throw error;
  }
};

/** Finds emails, newest first, page by page until there are enough. Without terms: what is held. */
export const searchMails = async (
  relay: Relay,
  search: Readonly<Record<string, string>>,
  limit: number,
): Promise<Found> => {
  const { state, ...terms } = Object.keys(search).length === 0 ? { state: 'held' } : search;
  const query = { ...terms, ...(state === undefined || state === ANY ? {} : { state }) };
  const mails: DeskMail[] = [];
  let after: string | undefined;
  let isIncomplete = false;
  do {
    const page = await askPage(relay, {
      ...query,
      limit: Math.min(limit - mails.length, MOST_ON_A_PAGE),
      ...(after === undefined ? {} : { after }),
    });
    mails.push(...page.mails);
    isIncomplete ||= page.incomplete === true;
    after = page.next;
  } while (after !== undefined && mails.length < limit);
  return {
    mails,
    notes: [
      ...(after === undefined ? [] : [`There are more than ${limit}. To see them: --limit N, or --all.`]),
      ...(isIncomplete
        ? [
            'The list may be incomplete: the relay still files emails of an earlier version. It does so every hour.',
          ]
        : []),
    ],
  };
};

/** What a search that found nothing says. */
export const nothingFound = (search: Readonly<Record<string, string>>): string =>
  [
    'No email was found.',
    ...(search[SEARCH_OPTIONS['message-id']] === undefined
      ? []
      : [
          'It can be there all the same: the relay knows the Message-ID of an email only if it sent the email as a draft, or has looked for it in the mailbox of the sender. Use the ID of the Graph request (--graph-request), or sender and time: list --sender ADDRESS --since TIME --until TIME.',
        ]),
  ].join('\n');

/** The id of the one email that has all of this. */
export const findOne = async (relay: Relay, search: Readonly<Record<string, string>>): Promise<string> => {
  const { mails, notes } = await searchMails(relay, search, 2);
  const [first, second] = mails;
  if (first === undefined) throw new Error([nothingFound(search), ...notes].join('\n'));
  if (second !== undefined)
    throw new Error('More than one email was found. To see them, use list with the same options.');
  return first.id;
};
