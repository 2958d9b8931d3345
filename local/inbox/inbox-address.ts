import type { Environment } from '../../src/lib/settings/settings.ts';

/** Where a browser finds the inbox when its port is forwarded by a tunnel, such as `https://name-8025.app.github.dev`. */
const SETTING = 'INBOX_ADDRESS';
const NAME = /^[a-z0-9.-]+$/i;

/**
 * The origin under which the inbox is shown, undefined where it is only localhost. GitHub Codespaces say it themselves
 * (https://docs.github.com/codespaces/developing-in-a-codespace/default-environment-variables-for-your-codespace).
 * Throws an Error.
 */
export const readInboxAddress = (environment: Environment, port: number): string | undefined => {
  const given = environment[SETTING]?.trim();
  if (given) {
    const url = URL.parse(given);
    if (url?.protocol !== 'https:' || `${url.origin}/` !== url.href)
      throw new Error(
        `${SETTING}: expected an address without a path, such as https://name-8025.app.github.dev.`,
      );
    return url.origin;
  }
  const {
    CODESPACES: inCodespace,
    CODESPACE_NAME: name = '',
    GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN: domain = '',
  } = environment;
  if (inCodespace !== 'true' || port === 0 || !NAME.test(name) || !NAME.test(domain)) return undefined;
  return `https://${name}-${port}.${domain}`.toLowerCase();
};
