import http, { type Agent } from 'node:http';
import https, { type AgentOptions } from 'node:https';
import { AppError } from '../errors.ts';
import { limitStalls } from './stall-limit.ts';

/** The proxy of settings in the form that agents of Node take. */
export type ProxyEnv = NonNullable<AgentOptions['proxyEnv']>;

/** How clients of the Azure SDKs reach the network: options to make each of them with. */
export type SdkNetwork = { readonly optionsFor: (url: string) => { readonly agent?: Agent } };

/** For a tunnel through the proxy, which would otherwise have no end; and for an idle connection. As the relay's own requests. */
const TUNNEL_MS = 10_000;

/**
 * How the Azure SDKs use the proxy. Left alone they send everything through it: the token endpoint of the managed identity too, and
 * stand-ins of this machine; they take what the proxy says for what the service says, so that its 403 would be the vault's; and they
 * read NO_PROXY otherwise than Node does. With an agent of Node they do as the rest of the relay does. Plain HTTP never goes through a
 * proxy: it is spoken to the managed identity and to the emulator of storage, and to nobody else.
 */
export const openSdkNetwork = (proxyEnv: ProxyEnv | undefined): SdkNetwork => {
  if (proxyEnv === undefined) return { optionsFor: () => ({}) };
  requireProxySupport(process.versions.node);
  const proxied = new https.Agent({ keepAlive: true, timeout: TUNNEL_MS, proxyEnv });
  const direct = new http.Agent({ keepAlive: true });
  return { optionsFor: (url) => ({ agent: url.startsWith('http:') ? direct : proxied }) };
};

/** A caller and an invocation wait, with one more try to come; storage and the vault answer within tens of milliseconds. */
const STALL_MS = 10_000;

/** How the SDKs of storage and of the vault use the network: as the others, with an end to silence, which they do not have themselves. */
export const openLimitedNetwork = (
  proxyEnv: ProxyEnv | undefined,
  stallMs: number = STALL_MS,
): SdkNetwork => {
  const { optionsFor } = openSdkNetwork(proxyEnv);
  const own = {
    'http:': limitStalls(new http.Agent({ keepAlive: true }), stallMs),
    'https:': limitStalls(optionsFor('https:').agent ?? new https.Agent({ keepAlive: true }), stallMs),
  };
  return { optionsFor: (url) => ({ agent: own[url.startsWith('http:') ? 'http:' : 'https:'] }) };
};

/** Agents of older versions ignore `proxyEnv` without a word (Node.js: http.Agent, added in 24.5.0 and 22.21.0). */
export const requireProxySupport = (version: string): void => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21)) return;
  throw new AppError('SETTINGS_INVALID', {
    problems: [
      {
        code: 'SETTINGS_INVALID',
        pointer: 'HTTPS_PROXY',
        expected: 'Node.js 24.5, or 22.21, or later, which can use a proxy',
        received: `Node.js ${version}`,
      },
    ],
  });
};
