import { afterAll, describe, expect, test } from 'vitest';
import { callEverything, openRelayIn, post, startBehindProxy } from './support/relay-behind-a-proxy.ts';
import { findTinyproxy, startTinyproxy } from './support/tinyproxy.ts';

const MAIL = { to: 'someone@fabrikam.example', subject: 'through the proxy', text: 'hello' };
const FILE = { filename: 'report.bin', content: Buffer.alloc(3_200_000).toString('base64') };
const PASSWORD = 'canary p@ss';

let refuse: NonNullable<Parameters<typeof startBehindProxy>[1]>['refuse'];
const world = await startBehindProxy('global', { refuse: (host, headers) => refuse?.(host, headers) });
afterAll(() => world.close());
const { hosts, environment, proxy, microsoft } = world;

/** A relay that knows nothing yet, and what its proxy was asked for since. */
const relayWith = (more: Record<string, string> = {}, refusing: typeof refuse = undefined) => {
  refuse = refusing;
  proxy.asked.splice(0);
  microsoft.seen.splice(0);
  return openRelayIn({ ...environment, ...more });
};

describe('with a proxy as the only way out', () => {
  test('everything goes through it, and the managed identity of this machine does not', async () => {
    const called = await callEverything(relayWith());
    expect(called).toMatchObject({ small: { status: 200 }, large: { status: 200 }, later: { status: 202 } });
    expect(proxy.hosts()).toEqual(Object.values(hosts).sort());
    expect(proxy.plain).toEqual([]);
  });

  test.each([
    ['HTTPS_PROXY', ''],
    ['https_proxy', ''],
    ['HTTP_PROXY', ''],
    ['http_proxy', ''],
    ['ALL_PROXY', ''],
  ])('it is enough to name it in %s', async (name) => {
    const { status } = await post(relayWith({ HTTPS_PROXY: '', [name]: proxy.url }), MAIL);
    expect(status).toBe(200);
    expect(proxy.hosts()).toEqual([hosts.table, hosts.vault, hosts.entra, hosts.graph].sort());
  });

  test('a proxy that wants a name and a password is given those of its address, and nobody else sees them', async () => {
    const expected = `Basic ${Buffer.from(`relay:${PASSWORD}`).toString('base64')}`;
    const url = proxy.url.replace('//', `//relay:${encodeURIComponent(PASSWORD)}@`);
    const wants: typeof refuse = (_host, headers) =>
      headers['proxy-authorization'] === expected ? undefined : 407;
    expect(await post(relayWith({ HTTPS_PROXY: url }, wants), MAIL)).toMatchObject({ status: 200 });
    expect(microsoft.seen.filter(({ proxyAuthorization }) => proxyAuthorization)).toEqual([]);

    const refused = await post(
      relayWith({ HTTPS_PROXY: url }, () => 407),
      MAIL,
    );
    expect(refused).toMatchObject({ status: 503 });
    expect(JSON.stringify(refused)).not.toMatch(/canary|p%40ss/);
  });
});

describe('a proxy that refuses', () => {
  const refusing = (refused: string, status: number | 'cut') =>
    relayWith({}, (host) => (host === refused ? status : undefined));

  test.each([
    ['Graph', hosts.graph, 403],
    ['Graph', hosts.graph, 407],
    ['Entra', hosts.entra, 403],
    ['the vault', hosts.vault, 403],
    ['the vault', hosts.vault, 407],
  ])('%s (%s, status %i) is named as what is wrong; nothing was sent', async (_what, host, status) => {
    const { body, logged } = await post(refusing(host, status), MAIL);
    expect(body).toMatchObject({
      code: 'PROXY_REFUSED',
      status: 502,
      fixedBy: 'administrator',
    });
    expect(logged.at(-1)?.level).toBe('error');
    expect(microsoft.seen.filter(({ path }) => path.endsWith('/sendMail'))).toEqual([]);
  });

  test('says for which host, where only uploads are not allowed', async () => {
    // A mailbox of its own: a large email does not wait for the emails before it, but goes back to the queue.
    const relay = relayWith({ MAIL_DEFAULT_SENDER: 'files@contoso.com' }, (host) =>
      host === hosts.upload ? 403 : undefined,
    );
    const { body } = await post(relay, { ...MAIL, attachments: [FILE] });
    expect(body).toMatchObject({
      code: 'PROXY_REFUSED',
      detail: `The proxy answered 403 to a connection to ${hosts.upload}:443.`,
    });
    expect(microsoft.seen.filter(({ path }) => path.endsWith('/send'))).toEqual([]);
  });

  test('storage keeps the relay from accepting anything, and the log says why', async () => {
    const { body, logged } = await post(refusing(hosts.table, 407), MAIL);
    expect(body).toMatchObject({ code: 'MAIL_NOT_STORED', status: 503 });
    expect(logged.map(({ event }) => event)).toContainEqual(
      expect.objectContaining({
        event: 'StorageFailed',
        proxyRefusal: `The proxy answered 407 to a connection to ${hosts.table}:443.`,
      }),
    );
  });

  test.each([502, 503, 504, 'cut'] as const)(
    'nothing, but cannot reach Graph (%i), is a connection that was not made: the email waits',
    async (status) => {
      const { status: answered, body } = await post(refusing(hosts.graph, status), MAIL);
      expect([answered, body.state]).toEqual([202, 'queued']);
    },
  );
});

describe('a proxy that is not there', () => {
  test('is a connection that was not made', async () => {
    // Port 1 needs a privilege nobody has here.
    const { body } = await post(relayWith({ HTTPS_PROXY: 'http://127.0.0.1:1' }), MAIL);
    expect(body).toMatchObject({ code: 'MAIL_NOT_STORED', status: 503 });
    expect(microsoft.seen).toEqual([]);
  });
});

describe('an address that is none of a proxy', () => {
  test('is a wrong setting that the relay names at its start; it does not go around the proxy', async () => {
    const relay = relayWith({ HTTPS_PROXY: 'http://canary:secret@proxy:port' });
    expect(relay.reportSettings().settingsInvalid).toEqual(['HTTPS_PROXY']);
    const { body, logged } = await post(relay, MAIL);
    expect(body).toMatchObject({ code: 'SETTINGS_INVALID', status: 500 });
    expect(JSON.stringify([body, logged])).not.toMatch(/canary|secret/);
    expect([proxy.asked, microsoft.seen]).toEqual([[], []]);
  });
});

const tinyproxy = findTinyproxy();

test.skipIf(tinyproxy === undefined)(
  `tinyproxy has every host in its log, and no other${tinyproxy === undefined ? ' (skipped: tinyproxy is not installed)' : ''}`,
  async () => {
    // It knows no more than the rest of this machine where the names lead: it asks the proxy of the tests.
    const real = await startTinyproxy(tinyproxy ?? '', proxy.port);
    try {
      const called = await callEverything(relayWith({ HTTPS_PROXY: real.url }));
      expect(called).toMatchObject({
        small: { status: 200 },
        large: { status: 200 },
        later: { status: 202 },
        refused: 'TOKEN_NOT_ACCEPTED',
      });
      expect(await real.hosts()).toEqual(Object.values(hosts).sort());
    } finally {
      await real.close();
    }
  },
);
