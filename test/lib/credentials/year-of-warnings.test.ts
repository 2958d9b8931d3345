import { describe, expect, test } from 'vitest';
import { aSecret } from '../../support/fake-vault.ts';
import { DAY_MS, dayNumber, warningWorld } from './warning-world.ts';

const DAYS = 365;

/** What happens on a day, before the daily run. */
type Happening = (world: ReturnType<typeof warningWorld>) => void;

const own = aSecret({ version: 'v1', expiresOn: dayNumber(75) });
const renewed = aSecret({ version: 'v2', createdOn: dayNumber(73), expiresOn: dayNumber(253) });
const renewedAgain = aSecret({ version: 'v3', createdOn: dayNumber(255), expiresOn: dayNumber(435) });
const erp = aSecret({ name: 'erp-key', version: 'e1', expiresOn: dayNumber(140) });
const undated = aSecret({ name: 'old-key', version: 'o1' });
const web = aSecret({ name: 'web-tls', kind: 'certificate', version: 'w1', expiresOn: dayNumber(330) });

/** Plays a year of daily runs at 07:00 UTC; gives a line for each warning: the day, what, and by which channels it was told. */
const playYear = async (
  happenings: Readonly<Record<number, Happening>>,
  options: { readonly isAway: (day: number) => boolean },
): Promise<readonly string[]> => {
  const world = warningWorld([own, erp, undated, web]);
  world.pass(-3_600_000);
  const lines: string[] = [];
  for (let day = 0; day < DAYS; day += 1) {
    happenings[day]?.(world);
    const before = { events: world.logged.length, mails: world.messages.length, posts: world.posts.length };
    if (!options.isAway(day)) await world.run();
    const warned = world.logged.slice(before.events).filter(({ event }) => event === 'SecretExpiring');
    const subjects = world.mails().slice(before.mails);
    const told = new Map([...world.state.told.values()].map((one) => [one.key.split('!')[2], one.reached]));
    for (const one of warned) {
      if (one.event !== 'SecretExpiring') continue;
      const reached = told.get(one.credential)?.join('+') || 'nobody';
      const what = [one.credential, one.state, one.daysLeft, one.inUse ? '(in use)' : undefined];
      lines.push(`day ${day}: ${what.filter((part) => part !== undefined).join(' ')}: ${reached}`);
    }
    for (const { subject } of subjects) lines.push(`        ${subject}`);
    const tries = world.posts.length - before.posts;
    if (tries > 1) lines.push(`        webhook: ${tries} tries`);
    world.pass(DAY_MS);
  }
  return lines;
};

describe('a year of daily runs', () => {
  test('tells each crossing once, by every channel that works, in the language of that day', async () => {
    const lines = await playYear(
      {
        // The recipients are of Hong Kong from here on.
        40: (world) => world.settings({ language: 'zh-Hant' }),
        73: (world) => world.vault.set([own, renewed, erp, undated, web]),
        // Someone records the date.
        95: (world) => world.vault.set([own, renewed, erp, { ...undated, expiresOn: dayNumber(700) }, web]),
        100: (world) => world.settings({ warningDays: [45, 30, 10, 2] }),
        // The webhook was removed in Teams; it is set up again after a month.
        105: (world) => world.webhookAnswers({ kind: 'answered', status: 404 }),
        // Neither channel works for a day.
        130: (world) => {
          world.fail('mailQueue.put');
          world.webhookAnswers({ kind: 'answered', status: 503 });
        },
        131: (world) => {
          world.mend();
          world.webhookAnswers();
        },
        143: (world) => world.vault.set([renewed, { ...undated, expiresOn: dayNumber(700) }, web]),
        200: (world) => world.settings({ language: 'en' }),
        256: (world) => world.vault.set([renewedAgain, { ...undated, expiresOn: dayNumber(700) }, web]),
        // The certificate renewed itself.
        333: (world) => {
          const next = { ...web, version: 'w2', expiresOn: dayNumber(700) };
          world.vault.set([renewedAgain, { ...undated, expiresOn: dayNumber(700) }, next]);
        },
      },
      // For a week the app was stopped.
      { isAway: (day) => day >= 208 && day < 215 },
    );
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "day 0: old-key no-expiry-date: mail+webhook
              The secret old-key has no expiry date in the vault (kv-relay)
      day 15: graph-client-secret expiring 60 (in use): mail+webhook
              The client secret graph-client-secret expires in 60 days (kv-relay)
      day 30: old-key no-expiry-date: mail+webhook
              The secret old-key has no expiry date in the vault (kv-relay)
      day 45: graph-client-secret expiring 30 (in use): mail+webhook
              用戶端秘密（client secret）graph-client-secret 將在 30 天後到期（kv-relay）
      day 60: old-key no-expiry-date: mail+webhook
              秘密 old-key 在保存庫中沒有到期日（kv-relay）
      day 61: graph-client-secret expiring 14 (in use): mail+webhook
              用戶端秘密（client secret）graph-client-secret 將在 14 天後到期（kv-relay）
      day 68: graph-client-secret expiring 7 (in use): mail+webhook
              用戶端秘密（client secret）graph-client-secret 將在 7 天後到期（kv-relay）
      day 72: graph-client-secret expiring 3 (in use): mail+webhook
              用戶端秘密（client secret）graph-client-secret 將在 3 天後到期（kv-relay）
      day 80: erp-key expiring 60: mail+webhook
              秘密 erp-key 將在 60 天後到期（kv-relay）
      day 90: old-key no-expiry-date: mail+webhook
              秘密 old-key 在保存庫中沒有到期日（kv-relay）
      day 100: erp-key expiring 40: mail+webhook
              秘密 erp-key 將在 40 天後到期（kv-relay）
      day 110: erp-key expiring 30: mail
              秘密 erp-key 將在 30 天後到期（kv-relay）
      day 130: erp-key expiring 10: nobody
              webhook: 3 tries
      day 131: erp-key expiring 9: mail+webhook
              秘密 erp-key 將在 9 天後到期（kv-relay）
      day 138: erp-key expiring 2: mail+webhook
              秘密 erp-key 將在 2 天後到期（kv-relay）
      day 140: erp-key expired 0: mail+webhook
              秘密 erp-key 已經到期（kv-relay）
      day 141: erp-key expired -1: mail+webhook
              秘密 erp-key 已經到期（kv-relay）
      day 142: erp-key expired -2: mail+webhook
              秘密 erp-key 已經到期（kv-relay）
      day 215: graph-client-secret expiring 38 (in use): mail+webhook
              The client secret graph-client-secret expires in 38 days (kv-relay)
      day 223: graph-client-secret expiring 30 (in use): mail+webhook
              The client secret graph-client-secret expires in 30 days (kv-relay)
      day 243: graph-client-secret expiring 10 (in use): mail+webhook
              The client secret graph-client-secret expires in 10 days (kv-relay)
      day 251: graph-client-secret expiring 2 (in use): mail+webhook
              The client secret graph-client-secret expires in 2 days (kv-relay)
      day 253: graph-client-secret expired 0 (in use): mail+webhook
              The client secret graph-client-secret has expired (kv-relay)
      day 254: graph-client-secret expired -1 (in use): mail+webhook
              The client secret graph-client-secret has expired (kv-relay)
      day 255: graph-client-secret expired -2 (in use): mail+webhook
              The client secret graph-client-secret has expired (kv-relay)
      day 285: web-tls expiring 45: mail+webhook
              The certificate web-tls expires in 45 days (kv-relay)
      day 300: web-tls expiring 30: mail+webhook
              The certificate web-tls expires in 30 days (kv-relay)
      day 320: web-tls expiring 10: mail+webhook
              The certificate web-tls expires in 10 days (kv-relay)
      day 328: web-tls expiring 2: mail+webhook
              The certificate web-tls expires in 2 days (kv-relay)
      day 330: web-tls expired 0: mail+webhook
              The certificate web-tls has expired (kv-relay)
      day 331: web-tls expired -1: mail+webhook
              The certificate web-tls has expired (kv-relay)
      day 332: web-tls expired -2: mail+webhook
              The certificate web-tls has expired (kv-relay)"
    `);
  });
});
