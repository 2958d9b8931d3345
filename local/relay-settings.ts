import leven from 'leven';
import { AppError } from '../src/lib/errors.ts';
import { type Environment, readSettings, type SettingName, settingsTable } from '../src/lib/settings.ts';

/** Settings of the relay that the environment of `npm start` may change; the rest is what the local cloud says. */
const CHANGEABLE = /^(MAIL|SECRET_WARNING|GRAPH_TIMEOUT)_/;
const LOOKS_LIKE_A_SETTING = /^(MAIL|GRAPH|SECRET|ENTRA|KEY_VAULT)_/;
/** Of the tools, and of applications that call the relay. */
const NOT_SETTINGS = /^(MAIL_RELAY_\w+|(GRAPH|ENTRA|KEY_VAULT)_PORT|GRAPH_CLIENT_SECRET)$/;
/** More letters than that apart, and it is another word. */
const NEAR = 4;

export type LocalSettings = {
  readonly settings: Readonly<Record<string, string>>;
  /** What must be mended first, a line each. */
  readonly problems: readonly string[];
  /** Names that may belong to something else. */
  readonly remarks: readonly string[];
};

const KNOWN = Object.keys(settingsTable) as SettingName[];

/** What the environment of `npm start` says to the relay: its settings, and everything that is wrong with their names and values. */
export function readLocalSettings(environment: Environment): LocalSettings {
  const given = KNOWN.filter((name) => CHANGEABLE.test(name) && environment[name] !== undefined);
  const unknown = Object.keys(environment)
    .filter((name) => LOOKS_LIKE_A_SETTING.test(name) && !NOT_SETTINGS.test(name))
    .filter((name) => !(KNOWN as readonly string[]).includes(name))
    .map((name) => ({ name, nearest: nearestOf(name) }));
  return {
    settings: Object.fromEntries(given.map((name) => [name, environment[name] ?? ''])),
    problems: [
      ...wrongValues(environment, given),
      ...unknown.flatMap(({ name, nearest }) =>
        nearest === undefined ? [] : [`${name} is not a setting of the relay. Did you mean ${nearest}?`],
      ),
    ],
    remarks: unknown.flatMap(({ name, nearest }) =>
      nearest === undefined
        ? [`${name} is not a setting of the relay (docs/settings.md) and has no effect.`]
        : [],
    ),
  };
}

function wrongValues(environment: Environment, names: readonly SettingName[]): string[] {
  try {
    readSettings(environment, names);
    return [];
  } catch (error) {
    return problemLines(error);
  }
}

/** The problems of settings by name, as lines for a terminal. */
export const problemLines = (error: unknown): string[] =>
  error instanceof AppError && error.facts.problems !== undefined
    ? error.facts.problems.map(
        ({ pointer, expected, received }) => `${pointer}: expected ${expected}; received ${received}.`,
      )
    : [(error as Error).message];

/** A name that was cut short, or a few letters off. */
function nearestOf(name: string): SettingName | undefined {
  const [nearest] = KNOWN.map((known) => ({
    known,
    distance: known.startsWith(name) ? 0 : leven(name, known, { maxDistance: NEAR + 1 }),
  }))
    .filter(({ distance }) => distance <= NEAR)
    .sort((one, other) => one.distance - other.distance);
  return nearest?.known;
}
