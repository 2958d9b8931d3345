import { expect, test } from 'vitest';
import { isUploadAddress } from '../../../src/lib/graph/upload-address.ts';

const GLOBAL = 'https://graph.microsoft.com';
const LOCAL = 'https://127.0.0.1:5443/v1.0';

test.each<[string, string, boolean]>([
  ["https://outlook.office.com/api/v2.0/Users('a')/Messages('b')?authtoken=eyJ", GLOBAL, true],
  ['https://outlook.office365.com/api/gv1.0/users', GLOBAL, true],
  ['http://outlook.office.com/api', GLOBAL, false],
  ['https://office.com.evil.example/api', GLOBAL, false],
  ['https://evil-office.com/api', GLOBAL, false],
  ['https://outlook.office.com:8443/api', GLOBAL, false],
  ['https://user@outlook.office.com/api', GLOBAL, false],
  ['https://outlook.office.com@evil.example/api', GLOBAL, false],
  ['https://contoso.sharepoint.com/api', GLOBAL, false],
  ['https://127.0.0.1/api', GLOBAL, false],
  ['https://169.254.169.254/metadata', GLOBAL, false],
  ['/api/v2.0', GLOBAL, false],
  ['https://outlook.office365.us/api', 'https://graph.microsoft.us', true],
  ['https://outlook.office.com/api', 'https://graph.microsoft.us', false],
  ['https://outlook-dod.office365.us/api', 'https://dod-graph.microsoft.us', true],
  ['https://webmail.apps.mil/api', 'https://dod-graph.microsoft.us', true],
  ['https://webmail.apps.mil/api', 'https://graph.microsoft.us', false],
  ['https://partner.outlook.cn/api', GLOBAL, false],
  ['https://partner.outlook.cn/api', 'https://microsoftgraph.chinacloudapi.cn', true],
  ['https://127.0.0.1:7000/api', LOCAL, true],
  ['https://localhost:7000/api', LOCAL, true],
  ['https://outlook.office.com/api', LOCAL, false],
])('%s, named by %s: %s', (url, graph, expected) => {
  expect(isUploadAddress(url, graph)).toBe(expected);
});
