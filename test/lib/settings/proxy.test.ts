import { describe, expect, test } from 'vitest';
import { proxyProblems, readProxy } from '../../../src/lib/settings/proxy.ts';
import { readSettings, STORAGE_SETTINGS } from '../../../src/lib/settings/settings.ts';
import { problemsOf } from '../../support/problems-of.ts';

const PROXY = 'http://proxy.contoso.com:3128';

describe('the proxy is the one that the environment names', () => {
  test.each([
    [{}, undefined],
    [{ HTTPS_PROXY: '' }, undefined],
    [{ HTTPS_PROXY: PROXY }, PROXY],
    [{ https_proxy: PROXY }, PROXY],
    [{ HTTPS_PROXY: 'http://other:1', https_proxy: PROXY }, PROXY],
    [{ HTTP_PROXY: PROXY }, PROXY],
    [{ http_proxy: PROXY }, PROXY],
    [{ ALL_PROXY: PROXY }, PROXY],
    [{ HTTPS_PROXY: PROXY, HTTP_PROXY: 'http://other:1', ALL_PROXY: 'http://other:1' }, PROXY],
    [{ HTTPS_PROXY: ` ${PROXY}/ ` }, `${PROXY}/`],
    [{ HTTPS_PROXY: 'https://user:p%40ss@proxy.contoso.com' }, 'https://user:p%40ss@proxy.contoso.com'],
    // It asks the rest of Node to use one, and names none.
    [{ NODE_USE_ENV_PROXY: '1' }, undefined],
  ])('%j: %s', (environment, expected) => {
    expect(readProxy(environment)?.https_proxy).toBe(expected);
  });

  test('hosts of NO_PROXY are reached without it, and this machine and the managed identity always', () => {
    const always = 'localhost,::1,127.0.0.0-127.255.255.255,169.254.0.0-169.254.255.255';
    expect(readProxy({ HTTPS_PROXY: PROXY })?.no_proxy).toBe(always);
    const named = readProxy({ HTTPS_PROXY: PROXY, NO_PROXY: '.vault.azure.net, .core.windows.net' });
    expect(named?.no_proxy).toBe(`.vault.azure.net, .core.windows.net,${always}`);
    expect(readProxy({ HTTPS_PROXY: PROXY, no_proxy: 'a.example' })?.no_proxy).toBe(`a.example,${always}`);
  });
});

describe('an address that is none of a proxy', () => {
  const wrong = [
    'proxy.contoso.com',
    'proxy.contoso.com:3128',
    'canary',
    'http://',
    'socks5://proxy.contoso.com:1080',
    'http://proxy.contoso.com:3128/path',
    'http://canary:p%ss@proxy.contoso.com:3128',
    'http://canary:secret@proxy:99999',
  ];

  test.each(wrong)('%s is told as the wrong setting that it is, without the value', (value) => {
    const [problem, ...more] = proxyProblems({ HTTPS_PROXY: value });
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ code: 'SETTINGS_INVALID', pointer: 'HTTPS_PROXY' });
    expect(problem?.received).not.toMatch(/canary|secret|contoso/);
    expect(readProxy({ HTTPS_PROXY: value })).toBeUndefined();
  });

  test('is named as it is written in the environment', () => {
    expect(proxyProblems({ http_proxy: 'proxy' })[0]?.pointer).toBe('http_proxy');
  });

  test('keeps the relay from reaching storage, instead of a way around the proxy', () => {
    const environment = { AzureWebJobsStorage__accountName: 'stmailrelay', HTTPS_PROXY: 'proxy:3128' };
    expect(problemsOf(() => readSettings(environment, STORAGE_SETTINGS))).toEqual([
      'SETTINGS_INVALID HTTPS_PROXY',
    ]);
  });
});
