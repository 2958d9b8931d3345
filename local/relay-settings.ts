import hostJson from '../host.json' with { type: 'json' };
import type { CredentialKind } from '../src/lib/connections/connection.ts';
import { AppError, type Problem } from '../src/lib/errors.ts';
import { isNamedConnection, problemsOfConnections } from '../src/lib/settings/connections.ts';
import { safetyOn } from '../src/lib/settings/safety-settings.ts';
import {
  type Environment,
  readSettings,
  type Setting,
  type SettingName,
  settingsTable,
} from '../src/lib/settings/settings.ts';
import { readFunctionTimeout } from '../src/lib/settings/settings-together.ts';
import { findUnknown } from '../src/lib/settings/unknown-names.ts';
import { LOCAL_SENDERS } from './directory.ts';

/** Settings of the relay that the environment of `npm start` may change; the rest is what the local cloud says. */
const CHANGEABLE =
  /^(MAIL|SECRET_(?:WARNING|ROTATION)|GRAPH_TIMEOUT)_|^(GRAPH_CONNECTIONS|GRAPH_CREDENTIAL)$/;
/** Of the tools, and of applications that call the relay. */
const NOT_SETTINGS = /^(MAIL_RELAY_\w+|(GRAPH|GRAPH_UPLOAD|ENTRA|KEY_VAULT)_PORT|GRAPH_CLIENT_SECRET)$/;

export type LocalSettings = {
  readonly settings: Readonly<Record<string, string>>;
  /** What must be mended first, a line each. */
  readonly problems: readonly string[];
  /** Names that may belong to something else. */
  readonly remarks: readonly string[];
};

const KNOWN = Object.keys(settingsTable) as SettingName[];

/** What the environment of `npm start` says to the relay: its settings, and everything that is wrong with their names and values. */
export const readLocalSettings = (environment: Environment): LocalSettings => {
  const given = [
    ...KNOWN.filter((name) => CHANGEABLE.test(name)),
    ...Object.keys(environment).filter(isNamedConnection),
  ].filter((name) => environment[name] !== undefined);
  const unknown = findUnknown(environment, KNOWN).filter(({ name }) => !NOT_SETTINGS.test(name));
  return {
    settings: Object.fromEntries(given.map((name) => [name, environment[name] ?? ''])),
    problems: [
      ...wrongValues(environment, given),
      ...unknown.flatMap(({ name, nearest, isSlip }) =>
        isSlip ? [`${name} is not a setting of the relay. Did you mean ${nearest}?`] : [],
      ),
    ],
    remarks: unknown.flatMap(({ name, isSlip }) =>
      isSlip ? [] : [`${name} is not a setting of the relay (docs/settings.md) and has no effect.`],
    ),
  };
};

/** What the local cloud will say, as far as the values of others are checked against it. */
const LOCAL: Environment = Object.fromEntries([
  ...Object.entries<Setting<unknown>>(settingsTable).flatMap(([name, { example, fallback }]) =>
    fallback === undefined ? [[name, example]] : [],
  ),
  ['AzureWebJobsStorage', 'UseDevelopmentStorage=true'],
  ['GRAPH_ENDPOINT', 'https://localhost'],
  ['KEY_VAULT_URL', 'https://localhost'],
  ...Object.entries(LOCAL_SENDERS),
]);

/** The settings that keep emails from their recipients, of those that the environment gives. */
export const localSafetyOn = (given: Environment): readonly string[] =>
  safetyOn(
    readSettings({ ...LOCAL, ...given }, ['MAIL_CAPTURE', 'MAIL_REDIRECT_TO', 'MAIL_RECIPIENT_DOMAINS']),
  );

/** Whether the environment gives a connection beside the main one, for which there must be another tenant. */
export const hasConnections = (given: Environment): boolean =>
  Object.keys(given).some((name) => name === 'GRAPH_CONNECTIONS' || isNamedConnection(name));

/** Whether emails are captured by the settings that the environment gives. */
export const localCaptures = (given: Environment): boolean => {
  const { MAIL_CAPTURE, MAIL_OTHER_RECIPIENTS } = readSettings({ ...LOCAL, ...given }, [
    'MAIL_CAPTURE',
    'MAIL_OTHER_RECIPIENTS',
  ]);
  return MAIL_CAPTURE || MAIL_OTHER_RECIPIENTS === 'capture';
};

/** What the relay proves itself with, by the settings that the environment gives. */
export const credentialOf = (given: Environment): CredentialKind =>
  readSettings({ ...LOCAL, ...given }, ['GRAPH_CREDENTIAL']).GRAPH_CREDENTIAL;

const wrongValues = (environment: Environment, names: readonly string[]): string[] => {
  const given = Object.fromEntries(names.map((name) => [name, environment[name]]));
  try {
    const settings = readSettings(
      { ...LOCAL, ...given },
      undefined,
      readFunctionTimeout(hostJson.functionTimeout),
    );
    return toLines(problemsOfConnections(settings));
  } catch (error) {
    return toProblemLines(error);
  }
};

/** The problems of settings by name, as lines for a terminal. */
export const toProblemLines = (error: unknown): string[] =>
  error instanceof AppError && error.facts.problems !== undefined
    ? toLines(error.facts.problems)
    : [(error as Error).message];

const toLines = (problems: readonly Problem[]): string[] =>
  problems.map(
    ({ pointer, expected, received }) => `${pointer}: expected ${expected}; received ${received}.`,
  );
