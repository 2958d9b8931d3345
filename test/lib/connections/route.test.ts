import { describe, expect, test } from 'vitest';
import type { Connection } from '../../../src/lib/connections/connection.ts';
import { connectionByRoute, routeOf } from '../../../src/lib/connections/route.ts';
import { aConnection } from '../../support/a-connection.ts';

const MAILBOX = 'hr@moved.example';
const contoso = aConnection('main', { tenantId: 'Contoso.example' });
const fabrikam = aConnection('fabrikam', { tenantId: 'fabrikam.example', senders: ['*@moved.example'] });

type Connections = readonly [Connection, ...Connection[]];
const lookedInto = (connections: Connections, attempt: Connection | undefined) =>
  connectionByRoute(connections, attempt && routeOf(attempt), MAILBOX)?.name;

describe('a mailbox is looked into, as an attempt left it', () => {
  test('in the tenant of the attempt, although another connection sends for it now', () => {
    expect(lookedInto([contoso, fabrikam], contoso)).toBe('main');
  });

  test('by the connection of the attempt, however the tenant is spelled', () => {
    expect(lookedInto([{ ...contoso, tenantId: 'CONTOSO.example' }], contoso)).toBe('main');
    expect(lookedInto([contoso, fabrikam], fabrikam)).toBe('fabrikam');
  });

  test('by the connection that sends for it now, where that is of the same tenant: it has the permissions of now', () => {
    const renewed = aConnection('renewed', { tenantId: 'contoso.example', senders: [MAILBOX] });
    expect(lookedInto([contoso, renewed], contoso)).toBe('renewed');
  });

  test('by any connection to that tenant, where that of the attempt has another name now', () => {
    const renamed = aConnection('old-tenant', { tenantId: 'contoso.example', senders: ['a@b.example'] });
    expect(lookedInto([{ ...fabrikam, name: 'main' }, renamed], contoso)).toBe('old-tenant');
  });

  test('never in another tenant, where the connection of the attempt is gone or means another one now', () => {
    expect(lookedInto([contoso], fabrikam)).toBeUndefined();
    expect(lookedInto([{ ...contoso, tenantId: 'new.example' }, fabrikam], contoso)).toBeUndefined();
  });

  test('never in a tenant of the same name in another cloud', () => {
    expect(lookedInto([{ ...contoso, cloud: 'usgov' }, fabrikam], contoso)).toBeUndefined();
  });

  test('by the main connection, where it was made before there was another', () => {
    expect(lookedInto([contoso, fabrikam], undefined)).toBe('main');
  });
});
