import type { Problem } from '../errors.ts';
import type { Environment } from './settings.ts';

/** A proxy, and the hosts that are reached without it, in the form that agents of Node take. */
export type Proxy = { readonly https_proxy: string; readonly no_proxy: string };

/** In this order. The names are those that operating systems and Azure SDKs use; everything that the relay calls is HTTPS. */
export const PROXY_NAMES = ['HTTPS_PROXY', 'ALL_PROXY', 'HTTP_PROXY'] as const;

/**
 * Never through a proxy, whatever NO_PROXY says: this machine, and the addresses at which Azure gives the tokens of a managed identity
 * (https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token).
 */
const ALWAYS_DIRECT = ['localhost', '::1', '127.0.0.0-127.255.255.255', '169.254.0.0-169.254.255.255'];

type Found = { readonly name: string; readonly text: string };

/** Lower case first, as in Node and curl: a web server that runs CGI can have HTTP_PROXY from a header of a request. */
const find = (environment: Environment, names: readonly string[]): Found | undefined =>
  names
    .flatMap((name) => [name.toLowerCase(), name])
    .map((name) => ({ name, text: environment[name]?.trim() ?? '' }))
    .find(({ text }) => text !== '');

/** The proxy that the environment names; undefined where it names none, or one that is not valid. */
export const readProxy = (environment: Environment): Proxy | undefined => {
  const found = find(environment, PROXY_NAMES);
  if (found === undefined || faultOf(found.text) !== undefined) return undefined;
  const direct = find(environment, ['NO_PROXY'])?.text;
  return {
    https_proxy: found.text,
    no_proxy: [...(direct === undefined ? [] : [direct]), ...ALWAYS_DIRECT].join(','),
  };
};

/** What is wrong with the address of the proxy. It can have a password in it, so nothing of it is shown. */
export const proxyProblems = (environment: Environment): readonly Problem[] => {
  const found = find(environment, PROXY_NAMES);
  const received = found && faultOf(found.text);
  if (found === undefined || received === undefined) return [];
  return [
    {
      code: 'SETTINGS_INVALID',
      pointer: found.name,
      expected:
        'the address of a proxy, such as http://proxy.contoso.com:3128, or http://user:password@proxy.contoso.com:3128 with every special character of the two percent-encoded',
      received,
    },
  ];
};

const faultOf = (text: string): string | undefined => {
  if (!URL.canParse(text)) return 'text that is not an address';
  const { protocol, username, password, pathname, search, hash } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:')
    return 'an address that does not begin with http:// or https://';
  if (pathname !== '/' || search !== '' || hash !== '') return 'an address with something after the port';
  return isPercentEncoded(username) && isPercentEncoded(password)
    ? undefined
    : 'a name or password with a % that encodes nothing';
};

const isPercentEncoded = (text: string): boolean => {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
};
