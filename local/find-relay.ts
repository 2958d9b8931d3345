import { readRunning } from './running-relay.ts';

export class RelayNotFoundError extends Error {
  override readonly name = 'RelayNotFoundError';
}

export type Relay = {
  readonly url: URL;
  readonly masterKey: string;
  /** Where the key is from, for the operator who must fix it. */
  readonly keyFrom: string;
};

const KEY_VARIABLE = 'MAIL_RELAY_MASTER_KEY';
const URL_VARIABLE = 'MAIL_RELAY_URL';
const OWN_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * The relay that a command means, and its master key: the one given by URL, in the option or the environment, with the key of the
 * environment, else the one that runs on this machine and says both in its folder.
 */
export const findRelay = async (
  given: string | undefined,
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Relay> => {
  const running = (await readRunning(folder))?.relay;
  const asked = given ?? (environment[URL_VARIABLE] || undefined);
  const url = parseUrl(asked ?? running?.url);
  if (url === undefined)
    throw new RelayNotFoundError(
      asked === undefined
        ? `No relay is running with the folder ${folder}. Start one with npm start, or name another one: its folder with --folder <folder>, or its address with --url <url> or ${URL_VARIABLE}.`
        : `${given === undefined ? URL_VARIABLE : '--url'}: expected an https address, or an http address of this machine.`,
    );
  if (running !== undefined && isSame(url, parseUrl(running.url)))
    return { url, masterKey: running.masterKey, keyFrom: `${folder}/running.json` };
  const masterKey = environment[KEY_VARIABLE];
  if (masterKey) return { url, masterKey, keyFrom: `the environment variable ${KEY_VARIABLE}` };
  throw new RelayNotFoundError(
    `Expected the master key of ${url.origin} in the environment variable ${KEY_VARIABLE}.` +
      (environment.MAIL_RELAY_KEY
        ? ' MAIL_RELAY_KEY is the function key of an application and does not work here.'
        : ''),
  );
};

/** `localhost` and 127.0.0.1 are one machine. */
const isSame = (one: URL, other: URL | undefined): boolean =>
  one.origin === other?.origin ||
  (OWN_NAMES.has(one.hostname) &&
    other !== undefined &&
    OWN_NAMES.has(other.hostname) &&
    one.port === other.port);

const parseUrl = (text: string | undefined): URL | undefined => {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:') return url;
  return url?.protocol === 'http:' && OWN_NAMES.has(url.hostname) ? url : undefined;
};
