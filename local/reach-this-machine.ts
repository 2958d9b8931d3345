/** What Azure's SDKs compare with the host of a request, each as a whole. */
const HERE = ['localhost', '127.0.0.1'];

/**
 * NO_PROXY for what runs here beside the relay, such as the functions host: Azure's SDKs would ask the proxy of the environment for
 * Azurite. The relay itself never asks one for this machine.
 */
export const noProxyHere = ({ NO_PROXY, no_proxy }: Readonly<Record<string, string | undefined>>): string =>
  [...(NO_PROXY ?? no_proxy ?? '').split(','), ...HERE]
    .map((part) => part.trim())
    .filter((part, index, all) => part !== '' && all.indexOf(part) === index)
    .join(',');
