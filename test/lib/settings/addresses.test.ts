import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/lib/errors.ts';
import { readSettings } from '../../../src/lib/settings/settings.ts';
import { errorOf } from '../../support/problems-of.ts';

const NAMES = ['ENTRA_AUTHORITY', 'GRAPH_ENDPOINT', 'KEY_VAULT_URL'] as const;
type Name = (typeof NAMES)[number];

const read = (name: Name, value: string): string | undefined => readSettings({ [name]: value }, [name])[name];

describe('the client secret and the tokens go only to addresses of Microsoft', () => {
  test.each<[Name, string]>([
    ['ENTRA_AUTHORITY', 'https://login.microsoftonline.com'],
    ['ENTRA_AUTHORITY', 'https://login.microsoftonline.us'],
    ['ENTRA_AUTHORITY', 'https://login.chinacloudapi.cn'],
    ['ENTRA_AUTHORITY', 'https://login.partner.microsoftonline.cn'],
    ['GRAPH_ENDPOINT', 'https://graph.microsoft.com'],
    ['GRAPH_ENDPOINT', 'https://graph.microsoft.us'],
    ['GRAPH_ENDPOINT', 'https://dod-graph.microsoft.us'],
    ['GRAPH_ENDPOINT', 'https://microsoftgraph.chinacloudapi.cn'],
    ['KEY_VAULT_URL', 'https://kv-mail-relay.vault.azure.net'],
    ['KEY_VAULT_URL', 'https://kv-mail-relay.vault.usgovcloudapi.net'],
    ['KEY_VAULT_URL', 'https://kv-mail-relay.vault.azure.cn'],
  ])('%s accepts %s, with a slash at the end or in capitals too', (name, address) => {
    for (const text of [address, `${address}/`, address.toUpperCase()])
      expect(read(name, text)).toBe(address);
  });

  test.each<[Name, string]>([
    ['ENTRA_AUTHORITY', 'https://login.contoso.example'],
    ['ENTRA_AUTHORITY', 'https://login.microsoftonline.com.contoso.example'],
    ['ENTRA_AUTHORITY', 'https://login-microsoftonline.com'],
    ['ENTRA_AUTHORITY', 'https://login.microsoftonline.com@contoso.example'],
    ['ENTRA_AUTHORITY', 'https://login.microsoftonline.com:8443'],
    ['ENTRA_AUTHORITY', 'https://login.microsoftonline.com/tenant'],
    ['ENTRA_AUTHORITY', 'https://login.microsoftonline.com./'],
    ['ENTRA_AUTHORITY', 'https://login.microsoftonline.de'],
    ['ENTRA_AUTHORITY', 'https://graph.microsoft.com'],
    ['ENTRA_AUTHORITY', 'https://localhost.contoso.example:8443'],
    ['ENTRA_AUTHORITY', 'https://127.0.0.1.contoso.example'],
    ['ENTRA_AUTHORITY', 'https://0.0.0.0:7072'],
    ['ENTRA_AUTHORITY', 'http://localhost:7072'],
    ['GRAPH_ENDPOINT', 'https://graph.contoso.example'],
    ['GRAPH_ENDPOINT', 'https://graph.microsoft.com?proxy=1'],
    ['GRAPH_ENDPOINT', 'https://graph.microsoft.com#part'],
    ['GRAPH_ENDPOINT', 'https://login.microsoftonline.com'],
    ['KEY_VAULT_URL', 'https://vault.azure.net'],
    ['KEY_VAULT_URL', 'https://kv.contoso.vault.azure.net'],
    ['KEY_VAULT_URL', 'https://kv-relay.vault.azure.net.contoso.example'],
    ['KEY_VAULT_URL', 'https://kv-relay.vault.azure.net:8443'],
    ['KEY_VAULT_URL', 'https://kv-relay.managedhsm.azure.net'],
    ['KEY_VAULT_URL', 'https://kv-relay.privatelink.vaultcore.azure.net'],
    ['KEY_VAULT_URL', 'kv-relay.vault.azure.net'],
  ])('%s rejects %s', (name, value) => {
    expect(() => read(name, value)).toThrow(AppError);
  });

  test.each(NAMES)('%s accepts this machine, where the stand-ins listen, on any port', (name) => {
    for (const address of ['https://localhost:7072', 'https://127.0.0.1:49152', 'https://localhost'])
      expect(read(name, address)).toBe(address);
  });

  test.each<[Name, readonly string[]]>([
    [
      'ENTRA_AUTHORITY',
      ['https://login.microsoftonline.com', 'https://login.microsoftonline.us', 'localhost'],
    ],
    ['GRAPH_ENDPOINT', ['https://graph.microsoft.com', 'https://dod-graph.microsoft.us', '127.0.0.1']],
    ['KEY_VAULT_URL', ['https://<name>.vault.azure.net', 'https://<name>.vault.azure.cn', 'localhost']],
  ])('the error of %s names what is allowed and does not show what was set', (name, allowed) => {
    const [problem] = errorOf(() => read(name, 'https://relay.contoso.example')).facts.problems ?? [];
    for (const part of allowed) expect(problem?.expected).toContain(part);
    expect(JSON.stringify(problem)).not.toContain('contoso.example');
  });
});
