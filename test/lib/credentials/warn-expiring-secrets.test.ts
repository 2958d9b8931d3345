import { describe, expect, test } from 'vitest';
import { checkDaily, checkSecrets } from '../../../src/lib/credentials/check-secrets.ts';
import { checkAgain } from '../../../src/lib/credentials/vault-event.ts';
import { AppError } from '../../../src/lib/errors.ts';
import type { ToldWarning } from '../../../src/lib/ports.ts';
import { anOpenConnection, theMainConnection } from '../../support/a-connection.ts';
import { aSecret } from '../../support/fake-vault.ts';
import { DAY_MS, dayNumber, type WarningWorld, warningWorld } from './warning-world.ts';

const soon = aSecret({ name: 'erp-key', expiresOn: dayNumber(10) });
const own = aSecret({ expiresOn: dayNumber(5) });
const fine = aSecret({ expiresOn: dayNumber(300) });

const told = ({ logged }: WarningWorld) =>
  logged.flatMap((one) =>
    one.event === 'SecretExpiring' ? [`${one.credential} ${one.state} ${one.daysLeft ?? ''}`.trim()] : [],
  );

describe('a run', () => {
  test('tells all that is new in one email and one post, what is urgent and in use first', async () => {
    const world = warningWorld([soon, own, aSecret({ name: 'undated' })]);
    expect(await world.run()).toBe('done');
    expect(told(world)).toEqual([
      'graph-client-secret expiring 5',
      'erp-key expiring 10',
      'undated no-expiry-date',
    ]);
    expect(world.mails()).toMatchObject([
      {
        to: ['it@contoso.example'],
        subject: 'The client secret graph-client-secret expires in 5 days, and 2 more warnings (kv-relay)',
      },
    ]);
    expect(world.posts).toHaveLength(1);
    expect(world.events('SecretsChecked')).toEqual([
      { event: 'SecretsChecked', secrets: 3, warnings: 3, told: 3, undelivered: 0, unproven: 0 },
    ]);
  });

  test('says which credential is in use, and by which connection', async () => {
    const world = warningWorld([soon, own]);
    await world.run();
    expect(world.events('SecretExpiring')).toMatchObject([
      { credential: 'graph-client-secret', kind: 'secret', inUse: true, connection: 'main', daysLeft: 5 },
      { credential: 'erp-key', kind: 'secret', inUse: false, expiresOn: '2026-03-12T00:00:00.000Z' },
    ]);
  });

  test('says that it ran when there is nothing to tell, and sends nothing', async () => {
    const world = warningWorld([fine]);
    await world.run();
    expect([world.mails(), world.posts, world.logged.map(({ event }) => event)]).toEqual([
      [],
      [],
      ['SecretsChecked'],
    ]);
  });

  test('warns by the log alone where there is no channel, and counts that as told', async () => {
    const world = warningWorld([own], { recipients: [], webhook: false });
    await world.run();
    await world.run();
    expect(told(world)).toEqual(['graph-client-secret expiring 5']);
    expect([...world.state.told.values()]).toMatchObject([{ reached: ['log'] }]);
  });

  test('writes every log event before it uses a channel that depends on the credential', async () => {
    const world = warningWorld([soon, own]);
    await world.run();
    expect(world.effects).toEqual([
      'log SecretExpiring',
      'log SecretExpiring',
      'events.put',
      'events.put',
      'mailQueue.put',
      'log SecretsChecked',
    ]);
  });

  test('records which channels took a warning, and when the last run ended', async () => {
    const world = warningWorld([own]);
    await world.run();
    expect([...world.state.told.values()]).toMatchObject([
      {
        daysLeft: 5,
        reached: ['mail', 'webhook'],
        mails: [{ mailId: world.mails()[0]?.mailId, to: 'recipients', state: 'waits' }],
      },
    ]);
    expect(await world.state.lastRun()).toEqual({
      startedAt: new Date('2026-03-02T08:00:00Z'),
      endedAt: new Date('2026-03-02T08:00:00Z'),
      secrets: 1,
      warnings: 1,
      told: 1,
      undelivered: 0,
      unproven: [],
    });
  });

  test('tells systems by one event for each warning, with the same fields as the log, and not twice', async () => {
    const world = warningWorld([soon, own]);
    await world.run();
    await world.run();
    expect(world.announced).toMatchObject([
      { eventType: 'GraphMailRelay.Credential.Warning', subject: 'credential/graph-client-secret' },
      { eventType: 'GraphMailRelay.Credential.Warning', subject: 'credential/erp-key' },
    ]);
    const logged = world.events('SecretExpiring').map(({ event: _, ...facts }) => facts);
    expect(world.announced.map(({ data }) => data)).toEqual(logged);
    for (const { id } of world.announced) expect(id).toMatch(/^credential\/expiring\/[\w/-]+\/2026-03-02$/);
  });

  test('warns people also where the event could not be put on its queue', async () => {
    const world = warningWorld([own]);
    world.fail('events.put');
    await world.run();
    expect(world.logged).toContainEqual({
      event: 'WarningChannelFailed',
      channel: 'events',
      name: 'STORAGE_UNAVAILABLE',
    });
    expect([world.mails().length, world.posts.length]).toEqual([1, 1]);
  });

  test('again on the same day tells nothing', async () => {
    const world = warningWorld([soon, own, aSecret({ name: 'gone', expiresOn: dayNumber(-3) })]);
    for (let run = 0; run < 4; run += 1) await world.run();
    expect([told(world).length, world.mails().length, world.posts.length]).toEqual([3, 1, 1]);
  });
});

describe('an owner', () => {
  test('gets one email with what is theirs, unless they get everything anyway', async () => {
    const fabrikam = anOpenConnection(
      theMainConnection({ name: 'fabrikam', owner: 'ops@fabrikam.example' }),
      async () => ({ version: own }),
    );
    const secrets = [
      own,
      aSecret({ ...soon, tags: { owner: 'OPS@fabrikam.example' } }),
      aSecret({ name: 'other', expiresOn: dayNumber(3), tags: { owner: 'IT@contoso.example' } }),
    ];
    const world = warningWorld(secrets, { connections: [fabrikam] });
    await world.run();
    expect(world.mails().map(({ to, subject }) => [...to, subject])).toEqual([
      [
        'it@contoso.example',
        'The client secret graph-client-secret expires in 5 days, and 2 more warnings (kv-relay)',
      ],
      [
        'ops@fabrikam.example',
        'The client secret graph-client-secret expires in 5 days, and 1 more warning (kv-relay)',
      ],
    ]);
  });
});

describe('the tag owner in the vault', () => {
  const mailedTo = async (owner: string) => {
    const world = warningWorld([aSecret({ ...soon, tags: { owner } })]);
    await world.run();
    return {
      to: world.mails().flatMap(({ to }) => to.filter((one) => one !== 'it@contoso.example')),
      fault: world.events('SecretExpiring').map((one) => 'ownerTag' in one && one.ownerTag),
      text: world.mails()[0]?.text ?? '',
    };
  };

  test.each([
    ['an address', 'erp@contoso.example'],
    ['with spaces around it', ' erp@contoso.example '],
    ['with a name', 'ERP team <erp@contoso.example>'],
  ])('is read as %s', async (_, owner) => {
    expect(await mailedTo(owner)).toMatchObject({ to: ['erp@contoso.example'], fault: [false] });
  });

  test.each([
    [
      'several addresses',
      'erp@contoso.example; hr@contoso.example',
      'unreadable',
      'is not one email address',
    ],
    ['no address', 'the ERP team', 'unreadable', 'is not one email address'],
    ['a line break and a header', 'a@contoso.example\r\nBcc: b@contoso.example', 'unreadable', 'is not one'],
    ['of a domain that no setting names', 'erp@evil.example', 'outside', 'outside the domains'],
  ])('that is %s gets no email, and the warning says so', async (_, owner, fault, words) => {
    const result = await mailedTo(owner);
    expect(result).toMatchObject({ to: [], fault: [fault] });
    expect(result.text).toContain(words);
    expect(result.text).not.toContain(owner);
  });

  test('that is empty says nothing', async () => {
    expect(await mailedTo(' ')).toMatchObject({ to: [], fault: [false] });
  });
});

describe('a channel that fails', () => {
  test('does not keep the other from being used', async () => {
    const world = warningWorld([own]);
    world.webhookAnswers({ kind: 'answered', status: 404 });
    await world.run();
    expect([world.mails().length, world.posts.length]).toEqual([1, 1]);
    expect(world.events('WarningChannelFailed')).toEqual([
      { event: 'WarningChannelFailed', channel: 'webhook', status: 404 },
    ]);
    const other = warningWorld([own]);
    other.fail('mailQueue.put');
    await other.run();
    expect(other.posts).toHaveLength(1);
    expect(other.events('WarningChannelFailed')).toEqual([
      { event: 'WarningChannelFailed', channel: 'mail', name: 'STORAGE_UNAVAILABLE' },
    ]);
    expect([...other.state.told.values()]).toMatchObject([{ reached: ['webhook'] }]);
  });

  test('is tried three times by webhook, where another try can help', async () => {
    const world = warningWorld([own]);
    world.webhookAnswers({ kind: 'failed', reason: 'timeout' });
    await world.run();
    expect(world.posts).toHaveLength(3);
    expect(world.events('WarningChannelFailed')).toMatchObject([{ name: 'timeout' }]);
  });

  test.each([302, 400, 404, 410])('is not asked again after status %s', async (status) => {
    const world = warningWorld([own]);
    world.webhookAnswers({ kind: 'answered', status });
    await world.run();
    expect(world.posts).toHaveLength(1);
  });

  test('with the other one: the warning reached nobody, is an error in the log, and is told by the next run', async () => {
    const world = warningWorld([own]);
    world.fail('mailQueue.put');
    world.webhookAnswers({ kind: 'answered', status: 500 });
    expect(await world.run()).toBe('done');
    expect(world.events('WarningNotDelivered')).toMatchObject([
      { reason: 'no-channel', credential: 'graph-client-secret', inUse: true },
    ]);
    expect(await world.state.lastRun()).toMatchObject({ told: 1, undelivered: 1 });
    world.mend();
    world.webhookAnswers();
    await world.run();
    await world.run();
    expect([world.mails().length, told(world).length]).toEqual([1, 2]);
  });
});

describe('the email of a warning', () => {
  test.each([
    ['held', 2],
    ['sent', 1],
    ['deferred', 1],
  ] as const)('that ended as %s: the warning is told %s times', async (state, times) => {
    const world = warningWorld([own], { webhook: false });
    await world.run();
    world.mailsEndAs(state);
    await world.run();
    await world.run();
    // At most once a day, however many runs learn that it was lost.
    expect(world.mails()).toHaveLength(1);
    world.pass(DAY_MS);
    await world.run();
    expect(world.mails()).toHaveLength(times);
    expect(new Set(world.mails().map(({ mailId }) => mailId)).size).toBe(times);
    expect(world.events('WarningNotDelivered')).toMatchObject(
      state === 'held' ? [{ reason: 'mail-lost', credential: 'graph-client-secret' }] : [],
    );
  });

  test('to the recipients of the settings counts: an owner whose copy was sent does not hide that it was held', async () => {
    const world = warningWorld([aSecret({ ...own, tags: { owner: 'ops@contoso.example' } })], {
      webhook: false,
    });
    await world.run();
    const [toTeam] = world.mails();
    world.mailsEndAs('sent');
    world.mailEndsAs(toTeam?.mailId, 'held');
    world.pass(DAY_MS / 2);
    await world.run();
    world.pass(DAY_MS / 2);
    await world.run();
    expect(world.mails().filter(({ to }) => to.includes('it@contoso.example'))).toHaveLength(2);
    expect(world.events('WarningNotDelivered')).toMatchObject([{ reason: 'mail-lost' }]);
  });

  test('to an owner that was held is not sent again where the recipients of the settings have theirs', async () => {
    const world = warningWorld([aSecret({ ...own, tags: { owner: 'ops@contoso.example' } })], {
      webhook: false,
    });
    await world.run();
    const [, toOwner] = world.mails();
    world.mailEndsAs(toOwner?.mailId, 'held');
    world.pass(DAY_MS);
    await world.run();
    expect(world.mails()).toHaveLength(2);
  });

  test('that was held does not matter where the webhook took the warning', async () => {
    const world = warningWorld([own]);
    await world.run();
    world.mailsEndAs('held');
    await world.run();
    expect(world.mails()).toHaveLength(1);
  });

  test('is the same where a run takes over what another one did not finish, so that the ledger drops it', async () => {
    const world = warningWorld([own], { webhook: false });
    const write = async (one: ToldWarning) => {
      if (one.reached.length > 0) throw new Error('crash');
      await world.state.write(one);
    };
    const crashing = { ...world.needs(), warnings: { ...world.state, write } };
    await expect(checkDaily(crashing)).rejects.toThrow('crash');
    await world.run();
    const [first, second] = world.mails();
    expect(second).toEqual(first);
    // Of another run, months later, the same words are another email.
    world.state.told.clear();
    await world.run();
    expect(world.mails()[2]).toMatchObject({ subject: first?.subject });
    expect(world.mails()[2]?.mailId).not.toBe(first?.mailId);
  });
});

describe('an email that cannot be sent now', () => {
  const gone = aSecret({ expiresOn: dayNumber(-3) });

  test('waits alone: no other one joins it each day, and the log says that it has reached nobody', async () => {
    const world = warningWorld([gone], { webhook: false });
    world.settings({ sendsMail: false });
    world.mailsEndAs('queued');
    for (let day = 0; day < 7; day += 1) {
      await world.run();
      await world.run({});
      world.pass(DAY_MS);
    }
    expect([world.mails().length, world.events('WarningNotDelivered').length]).toEqual([1, 7]);
    // Later on the last of these days.
    world.pass(-DAY_MS / 2);
    world.mailsEndAs('sent');
    await world.run();
    expect([...world.state.told.values()]).toMatchObject([{ reached: ['mail'] }]);
  });

  test('because Entra has just rejected the connection of the default sender, has reached nobody until it is sent', async () => {
    const world = warningWorld([own], { webhook: false });
    world.entraRefuses('CLIENT_SECRET_EXPIRED');
    world.mailsEndAs('queued');
    await world.run();
    expect(world.mails()).toHaveLength(1);
    expect(world.events('WarningNotDelivered')).toHaveLength(2);
    world.mailsEndAs('sent');
    await world.run();
    expect([...world.state.told.values()].map(({ reached }) => reached)).toEqual([['mail'], ['mail']]);
  });

  test('matters no more where the webhook took the warning', async () => {
    const world = warningWorld([own]);
    world.entraRefuses('CLIENT_SECRET_EXPIRED');
    await world.run();
    expect(world.events('WarningNotDelivered')).toEqual([]);
    expect([...world.state.told.values()].map(({ reached }) => reached)).toEqual([['webhook'], ['webhook']]);
  });

  test('counts as sent where only another connection was rejected', async () => {
    const other = anOpenConnection(
      theMainConnection({ name: 'fabrikam', senders: ['*@fabrikam.example'] }),
      () => Promise.reject(new AppError('CLIENT_SECRET_WRONG')),
    );
    const main = anOpenConnection(theMainConnection(), async () => ({ version: fine }));
    const world = warningWorld([fine], { webhook: false, connections: [main, other] });
    await world.run();
    expect(world.events('WarningNotDelivered')).toEqual([]);
  });
});

describe('a channel that is set later', () => {
  test.each([
    ['mail', { recipients: [], webhook: undefined }, { recipients: ['it@contoso.example'] }, [1, 1]],
    ['webhook', { webhook: false as const }, { hasWebhook: true }, [1, 1]],
    [
      'both',
      { recipients: [], webhook: false as const },
      { recipients: ['it@contoso.example'], hasWebhook: true },
      [1, 1],
    ],
  ])('%s: says once what people were told without it', async (_, { webhook, ...before }, later, counts) => {
    const world = warningWorld([own, soon], {
      ...before,
      ...(webhook === undefined ? {} : { webhook }),
    });
    await world.run();
    world.settings(later);
    for (let run = 0; run < 3; run += 1) await world.run();
    expect([world.mails().length, world.posts.length]).toEqual(counts);
    expect(told(world)).toHaveLength(2);
    expect(JSON.stringify(world.mails())).toContain('erp-key');
  });
});

describe('the same thing again and again', () => {
  const undated = aSecret({ createdOn: dayNumber(-9) });

  test('a registration that can be read now and then makes no other warning', async () => {
    let isAway = false;
    const connection = anOpenConnection(theMainConnection(), async () => ({ version: undated }), {
      read: async () => {
        isAway = !isAway;
        if (isAway) throw new AppError('GRAPH_UNREACHABLE');
        return [{ keyId: 'k', kind: 'secret', expiresOn: dayNumber(200) }];
      },
    });
    const world = warningWorld([undated], { connections: [connection] });
    for (let run = 0; run < 20; run += 1) await world.run();
    expect(told(world)).toEqual(['graph-client-secret no-expiry-date']);
  });

  test('reasons of Entra that alternate are told once a day each', async () => {
    const world = warningWorld([fine]);
    for (let run = 0; run < 20; run += 1) {
      world.entraRefuses(run % 2 === 0 ? 'CLIENT_SECRET_WRONG' : 'CLIENT_SECRET_EXPIRED');
      await world.run();
    }
    expect(told(world)).toHaveLength(2);
  });

  test('a new version without a date is told by the next run', async () => {
    const world = warningWorld([undated]);
    await world.run();
    world.pass(DAY_MS);
    world.vault.set([undated, aSecret({ version: 'v2', createdOn: dayNumber(1) })]);
    await world.run();
    await world.run();
    expect(told(world)).toHaveLength(2);
  });

  test('what nothing uses is told daily for a week after it has expired, then weekly; what is in use daily', async () => {
    const world = warningWorld([
      aSecret({ name: 'old-key', expiresOn: dayNumber(0) }),
      aSecret({ expiresOn: dayNumber(0) }),
    ]);
    for (let day = 0; day < 30; day += 1) {
      await world.run();
      world.pass(DAY_MS);
    }
    const days = (name: string) =>
      told(world).flatMap((one) => (one.startsWith(name) ? [Number(one.split(' ')[2])] : []));
    expect(days('old-key')).toEqual([0, -1, -2, -3, -4, -5, -6, -13, -20, -27]);
    expect(days('graph-client-secret')).toHaveLength(30);
  });
});

describe('two runs at the same time', () => {
  test('tell once; the second leaves a message to look again', async () => {
    const world = warningWorld([own]);
    expect(await Promise.all([world.run(), world.run()])).toEqual(['done', 'done']);
    expect([world.mails().length, world.posts.length, world.vaultEvents]).toEqual([
      1,
      1,
      [checkAgain(world.needs().clock.now())],
    ]);
  });

  test('a claim that is ten minutes old is of a run that has ended', async () => {
    const world = warningWorld([own]);
    const startedAt = world.needs().clock.now();
    await world.state.writeClaim({ id: 'crashed', startedAt, state: 'running' }, undefined);
    world.pass(10 * 60_000 - 1);
    await world.run();
    expect([world.mails().length, world.vaultEvents.length]).toEqual([0, 1]);
    world.pass(1);
    await world.run();
    expect(world.mails()).toHaveLength(1);
  });
});

describe('a clock that was ahead once, and is right again', () => {
  test('silences nothing: the next run tells what that clock took for told', async () => {
    const world = warningWorld([aSecret({ name: 'erp-key', expiresOn: dayNumber(20) })]);
    world.pass(200 * DAY_MS);
    await world.run();
    world.pass(-200 * DAY_MS);
    for (let day = 0; day <= 20; day += 1) {
      await world.run();
      await world.run();
      world.pass(DAY_MS);
    }
    expect(told(world)).toEqual([
      'erp-key expired -180',
      'erp-key expiring 20',
      'erp-key expiring 14',
      'erp-key expiring 7',
      'erp-key expiring 3',
      'erp-key expiring 1',
      'erp-key expired 0',
    ]);
  });

  test('leaves no claim that keeps runs from beginning', async () => {
    const world = warningWorld([own]);
    const startedAt = new Date(world.needs().clock.now().getTime() + 200 * DAY_MS);
    await world.state.writeClaim({ id: 'crashed', startedAt, state: 'running' }, undefined);
    await world.run();
    expect([world.mails().length, world.vaultEvents]).toEqual([1, []]);
  });
});

describe('what cannot be looked at', () => {
  test('the vault: the run tells what it could find out, then fails, and is no heartbeat', async () => {
    const world = warningWorld([own, soon]);
    world.vaultIsAway();
    expect(await world.run()).toBe('VAULT_UNREACHABLE');
    // The version in use is known from Entra.
    expect(told(world)).toEqual(['graph-client-secret expiring 5']);
    expect(world.events('SecretsUnchecked')).toEqual([
      { event: 'SecretsUnchecked', name: 'VAULT_UNREACHABLE' },
    ]);
    expect(world.events('SecretsChecked')).toEqual([]);
    expect(await world.state.lastRun()).toMatchObject({ failure: 'VAULT_UNREACHABLE', told: 1 });
    world.vaultIsAway(false);
    await world.run();
    expect(told(world)).toEqual(['graph-client-secret expiring 5', 'erp-key expiring 10']);
  });

  test('a daily run that failed leaves a message by which it is run again sooner', async () => {
    const world = warningWorld([fine]);
    world.vaultIsAway();
    await expect(checkDaily(world.needs())).rejects.toThrow();
    expect(world.vaultEvents).toEqual([checkAgain()]);
  });

  test('a credential that Entra refuses is a warning with its reason, every day, and hides no other', async () => {
    const world = warningWorld([own, soon]);
    world.entraRefuses('CLIENT_SECRET_WRONG');
    await world.run();
    await world.run();
    world.pass(DAY_MS);
    await world.run();
    expect(told(world)).toEqual([
      'graph-client-secret refused',
      'graph-client-secret expiring 5',
      'erp-key expiring 10',
      'graph-client-secret refused',
    ]);
    expect(world.events('SecretExpiring')[0]).toMatchObject({
      code: 'CLIENT_SECRET_WRONG',
      connection: 'main',
    });
  });

  test('an outage of Entra is no refusal: it is counted, and the secret is known by its name', async () => {
    const world = warningWorld([own]);
    world.entraRefuses('ENTRA_UNREACHABLE');
    await world.run();
    expect(told(world)).toEqual(['graph-client-secret expiring 5']);
    expect(world.events('SecretExpiring')).toMatchObject([{ inUse: true, connection: 'main' }]);
    expect(world.events('SecretsChecked')).toMatchObject([{ unproven: 1 }]);
  });

  test.each([1, 6, 11, 24])('an outage that lasts is a refusal, with a run every %s hours', async (hours) => {
    const world = warningWorld([fine]);
    world.entraRefuses('ENTRA_UNREACHABLE');
    for (let passed = 0; passed < 12; passed += hours) {
      await world.run();
      expect(told(world)).toEqual([]);
      world.pass(hours * 3_600_000);
    }
    await world.run();
    expect(told(world)).toEqual(['graph-client-secret refused']);
  });

  test('an outage that ended in between is none that lasts', async () => {
    const world = warningWorld([fine]);
    for (let day = 0; day < 4; day += 1) {
      world.entraRefuses('ENTRA_UNREACHABLE');
      await world.run();
      world.pass(DAY_MS / 2);
      world.entraRefuses();
      await world.run();
      world.pass(DAY_MS / 2);
    }
    expect(told(world)).toEqual([]);
  });

  test('a proof that fails for a reason that nobody foresaw is told too, if that lasts', async () => {
    const faulty = anOpenConnection(theMainConnection(), () => Promise.reject(new TypeError('x')));
    const world = warningWorld([fine], { connections: [faulty] });
    await world.run();
    world.pass(DAY_MS);
    await world.run();
    expect(world.events('SecretExpiring')).toMatchObject([{ state: 'refused', code: 'UNEXPECTED' }]);
  });

  test('a registration that cannot be read, and an error that nobody foresaw, keep nothing from being told', async () => {
    const broken = anOpenConnection(theMainConnection(), async () => ({ version: own }), {
      read: () => Promise.reject(new AppError('GRAPH_UNREACHABLE')),
    });
    const faulty = anOpenConnection(theMainConnection({ name: 'faulty' }), () =>
      Promise.reject(new TypeError('x')),
    );
    const world = warningWorld([own, soon], { connections: [broken, faulty] });
    expect(await world.run()).toBe('done');
    expect(told(world)).toHaveLength(2);
    expect(world.events('Unexpected')).toMatchObject([{ name: 'TypeError' }]);
    expect(world.events('SecretsChecked')).toMatchObject([{ unproven: 1 }]);
  });

  test('a connection without a vault is proved all the same', async () => {
    const identity = theMainConnection({ credential: { kind: 'managed-identity' } });
    const refused = anOpenConnection(identity, () => Promise.reject(new AppError('IDENTITY_UNAVAILABLE')));
    const { vault: _, ...needs } = warningWorld([], { connections: [refused] }).needs();
    const events: unknown[] = [];
    await checkDaily({ ...needs, vaultName: '', log: (event) => void events.push(event) });
    expect(events).toMatchObject([
      { event: 'SecretExpiring', state: 'refused', kind: 'managed-identity', connection: 'main' },
      { event: 'SecretsChecked', secrets: 0, warnings: 1 },
    ]);
  });
});

describe('a state that cannot be used', () => {
  const urgent = ['graph-client-secret expiring 5'];

  test.each([
    ['claimed', ['readClaim']],
    ['claimed for another reason', ['writeClaim']],
    ['read', ['list']],
    ['written', ['write']],
  ] as const)(
    'because it cannot be %s: the daily run tells what is urgent all the same, and fails',
    async (_, calls) => {
      const world = warningWorld([own, soon]);
      world.stateBreaks(calls);
      expect(await world.run()).toBe('STORAGE_UNAVAILABLE');
      expect([told(world), world.posts.length, world.mails().length]).toEqual([urgent, 1, 1]);
      expect(world.events('SecretsUnchecked')).toMatchObject([{ name: 'STORAGE_UNAVAILABLE' }]);
    },
  );

  test.each([['list'], ['write'], ['readClaim']] as const)(
    'when asked to %s: events of the vault tell nothing, so that people hear of it once a day',
    async (call) => {
      const world = warningWorld([own, soon]);
      world.stateBreaks([call]);
      await world.run();
      for (let run = 0; run < 6; run += 1) {
        await world.run({});
        world.pass(600_000);
      }
      expect([told(world), world.posts.length]).toEqual([urgent, 1]);
      world.stateBreaks();
      await world.run({});
      expect(told(world)).toEqual([...urgent, ...urgent, 'erp-key expiring 10']);
    },
  );

  test('nor any caller, hides no credential', async () => {
    const world = warningWorld([own]);
    const callers = { known: () => Promise.reject(new AppError('STORAGE_UNAVAILABLE')) };
    await checkDaily({ ...world.needs(), callers: { ...world.needs().callers, ...callers } });
    expect(told(world)).toEqual(urgent);
  });
});

describe('an event of the vault', () => {
  const event = { eventType: 'Microsoft.KeyVault.SecretNearExpiry', data: { ObjectName: 'canary' } };
  const cloudEvent = { specversion: '1.0', type: 'Microsoft.KeyVault.CertificateExpired' };
  const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');
  const check = (world: WarningWorld, text: string, delivery = 1) =>
    checkSecrets(world.needs(), { text, delivery });

  test.each([
    ['of Event Grid, as it writes it', base64(event)],
    ['in a list', JSON.stringify([event])],
    ['as CloudEvent', base64(cloudEvent)],
    ['of the relay itself', checkAgain()],
  ])('%s makes the relay look for itself', async (_, text) => {
    const world = warningWorld([own]);
    await check(world, text);
    expect(world.mails()).toHaveLength(1);
    expect(JSON.stringify(world.logged)).not.toContain('canary');
  });

  test('is told once, though the daily run finds the same', async () => {
    const world = warningWorld([own]);
    await check(world, base64(event));
    await world.run();
    await check(world, base64(event));
    expect(world.mails()).toHaveLength(1);
  });

  test.each([
    ['no JSON', 'canary'],
    ['empty', ''],
    ['of another kind', base64({ eventType: 'Microsoft.KeyVault.SecretNewVersionCreated' })],
    ['a list of nothing', '[]'],
    ['null', 'null'],
    ['too long', `[${' '.repeat(70_000)}]`],
  ])('%s is dropped, and said in the log', async (_, text) => {
    const world = warningWorld([own]);
    await check(world, text);
    expect(world.mails()).toEqual([]);
    expect(world.logged).toEqual([{ event: 'VaultEventDropped', reason: 'unreadable' }]);
  });

  describe('that was put on the queue before a run began', () => {
    const at = (world: WarningWorld, seconds: number) =>
      new Date(world.needs().clock.now().getTime() + seconds * 1000);
    const counting = (world: WarningWorld) => {
      const counts = { listed: 0, reads: 0 };
      const { vault, warnings, ...needs } = world.needs();
      return {
        counts,
        needs: {
          ...needs,
          vault: {
            listSecrets: () => {
              counts.listed += 1;
              return vault.listSecrets();
            },
          },
          warnings: {
            ...warnings,
            lastRun: () => {
              counts.reads += 1;
              return warnings.lastRun();
            },
          },
        },
      };
    };

    test('costs one read: of thousands of events, one or two lead to a run', async () => {
      const world = warningWorld([own]);
      const { needs, counts } = counting(world);
      const insertedAt = at(world, -1);
      const text = base64(event);
      for (let wave = 0; wave < 20; wave += 1) {
        const batch = Array.from({ length: 50 }, () => ({ text, insertedAt, delivery: 1 }));
        await Promise.all(batch.map((message) => checkSecrets(needs, message)));
        world.pass(1000);
      }
      // Those that met a running run come again.
      world.pass(600_000);
      for (const again of world.vaultEvents.splice(0))
        await checkSecrets(needs, { text: again, insertedAt: at(world, -1), delivery: 1 });
      expect(counts.listed).toBe(1);
      expect(counts.reads).toBeLessThanOrEqual(1050);
      expect(world.vaultEvents).toEqual([]);
      expect(world.mails()).toHaveLength(1);
    });

    test('leads to a run where the last one began before that', async () => {
      const world = warningWorld([own]);
      const { needs, counts } = counting(world);
      await world.run();
      world.pass(1000);
      await checkSecrets(needs, { text: base64(event), insertedAt: at(world, -0.5), delivery: 1 });
      expect(counts.listed).toBe(1);
    });

    test('leads to a run where the last one began within the same second, which is all that the queue says', async () => {
      const world = warningWorld([own]);
      const { needs, counts } = counting(world);
      await world.run();
      await checkSecrets(needs, { text: base64(event), insertedAt: at(world, -0.9), delivery: 1 });
      expect(counts.listed).toBe(1);
    });

    test('leads to a run where the last one could not look at everything', async () => {
      const world = warningWorld([own]);
      const { needs, counts } = counting(world);
      world.vaultIsAway();
      await world.run();
      world.vaultIsAway(false);
      await checkSecrets(needs, { text: base64(event), insertedAt: at(world, -1), delivery: 1 });
      expect(counts.listed).toBe(1);
    });

    test('leads to a run where the clock of the last one was ahead, or the state cannot be read', async () => {
      const world = warningWorld([own]);
      const { needs, counts } = counting(world);
      world.pass(DAY_MS);
      await world.run();
      world.pass(-DAY_MS);
      const message = { text: base64(event), insertedAt: at(world, -1), delivery: 1 };
      await checkSecrets(needs, message);
      expect(counts.listed).toBe(1);
      const away = { ...needs.warnings, lastRun: () => Promise.reject(new AppError('STORAGE_UNAVAILABLE')) };
      await checkSecrets({ ...needs, warnings: away }, message);
      expect(counts.listed).toBe(2);
    });
  });

  test('whose run fails is delivered again, and after five times ended with an error', async () => {
    const world = warningWorld([own]);
    world.vaultIsAway();
    await expect(check(world, base64(event), 4)).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
    await check(world, base64(event), 5);
    expect(world.events('VaultEventDropped')).toEqual([{ event: 'VaultEventDropped', reason: 'failed' }]);
    expect(world.events('SecretsUnchecked')).toHaveLength(2);
  });
});

describe('what the relay keeps', () => {
  test('of a secret that is gone is forgotten after more than a year', async () => {
    const world = warningWorld([own, soon]);
    await world.run();
    world.vault.set([]);
    world.pass(400 * DAY_MS);
    await world.run();
    expect(world.state.told.size).toBe(2);
    world.pass(DAY_MS);
    await world.run();
    expect(world.state.told.size).toBe(0);
  });
});
