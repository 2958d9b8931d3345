import type { Relay } from '../local/find-relay.ts';
import type { DeskMail } from './mail-page.ts';
import { callRelay, sameRelay } from './relay-call.ts';

type Decision = {
  readonly command: 'replay' | 'close' | 'forget';
  readonly ids: readonly string[];
  readonly note: string;
  /** Who does it, in their own words. */
  readonly by?: string | undefined;
};

type Outcome = { readonly id: string } & ({ readonly mail: DeskMail } | { readonly error: string });

const decide = async (relay: Relay, { command, note, by }: Decision, id: string): Promise<Outcome> => {
  try {
    const call = {
      ...(command === 'close' ? { body: { note } } : {}),
      ...(by === undefined ? {} : { headers: { 'x-changed-by': encodeURIComponent(by) } }),
    };
    return { id, mail: (await callRelay(relay, 'POST', `/api/mail/${id}/${command}`, call)) as DeskMail };
  } catch (error) {
    return { id, error: (error as Error).message };
  }
};

const DONE: Readonly<Record<Decision['command'], (id: string, relay: string) => string>> = {
  replay: (id, relay) =>
    `Email ${id} is on the queue again. To follow it: npm run mail -- show ${id}${relay}`,
  close: (id) => `Email ${id} is closed.`,
  forget: (id) => `Everything that the relay kept of email ${id} is deleted.`,
};

/**
 * Replays, closes or deletes emails one after the other, each told by itself: one that fails keeps none of the others from it, and makes the exit
 * status 1.
 */
export const decideAll = async (
  relay: Relay,
  decision: Decision,
  options: Parameters<typeof sameRelay>[0] & { readonly json: boolean },
): Promise<void> => {
  const outcomes: Outcome[] = [];
  for (const id of decision.ids) {
    const outcome = await decide(relay, decision, id);
    outcomes.push(outcome);
    if ('error' in outcome) {
      process.exitCode = 1;
      console.error(decision.ids.length === 1 ? outcome.error : `${id}: ${outcome.error}`);
    } else if (!options.json) console.log(DONE[decision.command](id, sameRelay(options)));
  }
  const [only] = outcomes;
  if (!options.json || only === undefined) return;
  if (outcomes.length > 1) console.log(JSON.stringify(outcomes, null, 2));
  else if ('mail' in only) console.log(JSON.stringify(only.mail, null, 2));
};
