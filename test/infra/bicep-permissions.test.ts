import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SUBMIT_ROLE } from '../../src/lib/callers/app-token.ts';
import { listVariable, readCode, recordVariable, templates } from './bicep-text.ts';

const GUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

test('roles have the ids that Microsoft lists', () => {
  // https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
  expect(recordVariable('modules/role-ids.bicep', 'roleIds')).toEqual({
    'Key Vault Secrets User': '4633458b-17de-408a-b874-0445c86b69e6',
    'Monitoring Metrics Publisher': '3913510d-42f4-4e42-8a64-420c390055eb',
    'Storage Blob Data Owner': 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
    'Storage Queue Data Contributor': '974c5e8b-45b9-4653-ba55-5f855dd0fb88',
    'Storage Queue Data Message Sender': 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a',
    'Storage Table Data Contributor': '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
  });
});

test('permissions of Graph have the ids that Microsoft lists, in Bicep as in the scripts', () => {
  // https://learn.microsoft.com/graph/permissions-reference
  const ids = recordVariable('modules/graph-permissions.bicep', 'permissionIds');
  expect(ids).toEqual({
    'Application.ReadWrite.OwnedBy': '18a4783c-866b-4cc7-a460-3d5e5662c884',
    'ExchangeMessageTrace.Read.All': '89b20d8a-76e2-4057-867b-9961f800b9a4',
    'Mail.Send': 'b633e1c5-b582-4048-a93e-9f11b44c7e96',
    'Mail.Read': '810c84a8-4a9e-49e6-bf7d-12d183f40d01',
    'Mail.ReadWrite': 'e2a3a72e-5f79-4c64-b1b1-878b674786c9',
  });
  const script = readFileSync(join(import.meta.dirname, '../../infra/scripts/registration.sh'), 'utf8');
  const inScript = [
    ...script.matchAll(/^\s+((?:Mail|Application|ExchangeMessageTrace)\.[\w.]+)\) echo (\S+) ;;$/gm),
  ].map(([, name, id]) => [name, id]);
  expect(Object.fromEntries(inScript)).toEqual(ids);
});

test('the registration has the app role that the relay asks of tokens, for applications alone', () => {
  expect(recordVariable('modules/graph-permissions.bicep', 'submitRole')).toMatchObject({
    value: SUBMIT_ROLE,
  });
  const registration = readCode('registration.bicep');
  expect(registration).toContain('requestedAccessTokenVersion: 2');
  expect(/allowedMemberTypes: \[\s*('\w+'\s*)+\]/.exec(registration)?.[0]).toMatch(
    /\[\s*'Application'\s*\]$/,
  );
});

test('an id stands in one of the two tables, and nowhere else', () => {
  const tables = ['modules/role-ids.bicep', 'modules/graph-permissions.bicep'];
  for (const path of templates.filter((template) => !tables.includes(template)))
    expect(readCode(path).match(GUID), path).toBeNull();
  const ids = tables.flatMap((path) => readCode(path).match(GUID) ?? []);
  expect(new Set(ids).size).toBe(ids.length);
});

test('the identity of the app may do this, and applications and the vault may put messages into their queue: nothing else', () => {
  const assignments = templates.flatMap((path) =>
    [
      ...readCode(path).matchAll(
        /'Microsoft\.Authorization\/roleAssignments@[^{]*\{[\s\S]*?scope: (\S+)[\s\S]*?roleDefinitions', (\S+)\)/g,
      ),
    ].map(([, scope, role]) => `${path}: ${role} on ${scope}`),
  );
  expect(assignments.sort()).toEqual([
    'modules/monitoring.bicep: publisherRole on component',
    'modules/storage.bicep: queueRole on queues[i]',
    'modules/storage.bicep: roleIds[role] on account',
    'modules/storage.bicep: senderRole on queues[sender.queue]',
    'modules/vault-events.bicep: senderRole on account::queueService::queue',
    'modules/vault.bicep: readerRole on vault',
  ]);
  const roleOf = (path: string, variable: string) =>
    new RegExp(`^var ${variable} = roleIds\\['(.+)'\\]$`, 'm').exec(readCode(path))?.[1];
  expect(roleOf('modules/monitoring.bicep', 'publisherRole')).toBe('Monitoring Metrics Publisher');
  expect(roleOf('modules/storage.bicep', 'queueRole')).toBe('Storage Queue Data Contributor');
  expect(roleOf('modules/storage.bicep', 'senderRole')).toBe('Storage Queue Data Message Sender');
  expect(roleOf('modules/vault-events.bicep', 'senderRole')).toBe('Storage Queue Data Message Sender');
  expect(roleOf('modules/vault.bicep', 'readerRole')).toBe('Key Vault Secrets User');
  expect(listVariable('modules/storage.bicep', 'accountRoles')).toEqual([
    'Storage Blob Data Owner',
    'Storage Table Data Contributor',
  ]);
});

test('the application asks for Mail.Send, and for more only when told to', () => {
  for (const path of ['registration.bicep', 'consent.bicep'])
    expect(readCode(path)).toMatch(/^param permissions (?:Mail)?Permission\[\] = \[\n {2}'Mail\.Send'\n\]$/m);
});

test('granting permissions is a deployment of its own, which nothing else starts', () => {
  const granting = templates.filter((path) => readCode(path).includes('appRoleAssignedTo'));
  expect(granting).toEqual(['consent.bicep']);
  for (const path of templates) expect(readCode(path)).not.toContain("'consent.bicep'");
});

test('storage, vault and telemetry open to identities only, with no key and no password', () => {
  const storage = readCode('modules/storage.bicep');
  expect(storage).toContain('allowSharedKeyAccess: false');
  expect(storage).toContain('allowBlobPublicAccess: false');
  expect(storage).toContain("minimumTlsVersion: 'TLS1_2'");
  expect(readCode('modules/vault.bicep')).toContain('enableRbacAuthorization: true');
  expect(readCode('modules/monitoring.bicep')).toContain('DisableLocalAuth: true');
});

test('purge protection is on or left out, since Azure refuses to hear that it is off', () => {
  expect(readCode('modules/vault.bicep')).toContain('enablePurgeProtection: purgeProtection ? true : null');
});
