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
/** Whether npm start is at hand: the single file of the commands has no folder of its own. */
export const IS_CLONE: boolean = import.meta.dirname !== undefined;
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
  const source = given === undefined ? URL_VARIABLE : '--url';
  if (url === undefined)
    throw new RelayNotFoundError(
      asked === undefined
        ? `No relay is running with the folder ${folder}. ${IS_CLONE ? 'Start one with npm start, or name another one' : 'Name the relay'}: its folder with --folder <folder>, or its address with --url <url> or ${URL_VARIABLE}.`
        : `${source}: expected an https address, or an http address of this machine.`,
    );
  // The start prints addresses below /api, and a relay is always there; anything else is ignored by no command.
  if (asked !== undefined && !/^\/(?:api(?:\/[\w/-]*)?)?$/.test(`${url.pathname}${url.search}${url.hash}`))
    throw new RelayNotFoundError(
      `${source}: expected the address of the relay alone, such as ${url.origin}, received one with more after it. The command adds the path itself.`,
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

/** Whether it is a relay of this machine, which can be started here. */
export const isOwn = ({ hostname }: URL): boolean => OWN_NAMES.has(hostname);

const parseUrl = (text: string | undefined): URL | undefined => {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:') return url;
  return url?.protocol === 'http:' && isOwn(url) ? url : undefined;
};
