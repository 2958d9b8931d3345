import { describe, expect, test } from 'vitest';
import type { CredentialWarning } from '../../../src/lib/credentials/credential-warning.ts';
import { toWarningMail } from '../../../src/lib/credentials/warning-mail.ts';
import { LANGUAGES } from '../../../src/lib/mail/language.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { theMainConnection } from '../../support/a-connection.ts';
import { anExpiring } from './a-warning.ts';

const context = {
  vault: 'kv-relay',
  rotates: false,
  language: 'en',
  recipients: ['ops@contoso.example'],
  day: '2026-11-22',
} as const;
const mailOf = (warnings: readonly CredentialWarning[], changes: object = {}) =>
  readMail(toWarningMail(warnings, { ...context, ...changes }));

const { key, mark, name, kind, uses, owners } = anExpiring();
const about = { key, mark, name, kind, uses, owners };
const fabrikam = {
  ...uses[0],
  connection: theMainConnection({ name: 'fabrikam' }),
  senders: ['*@fabrikam.example'],
  callers: ['shop'],
};
const dates = { vaultDate: new Date('2027-05-31T00:00:00Z'), entraDate: new Date('2027-03-31T00:00:00Z') };

const ALL: readonly (readonly [
  what: string,
  warning: CredentialWarning,
  subject: string,
  command: string,
])[] = [
  [
    'a client secret',
    anExpiring(),
    'The client secret graph-client-secret expires in 7 days',
    'infra/deploy.sh --resource-group <resource group> --renew-secret credential',
  ],
  [
    'the client secret of another connection',
    anExpiring({ uses: [fabrikam], daysLeft: 1 }),
    'The client secret graph-client-secret expires within a day',
    'infra/scripts/store-client-secret.sh --vault-id "$(az keyvault show --name kv-relay --query id --output tsv)" --client-id 11111111-2222-3333-4444-555555555555 --secret-name graph-client-secret --renew',
  ],
  [
    'a certificate',
    anExpiring({ kind: 'certificate', state: 'expired', daysLeft: -3 }),
    'The certificate graph-client-secret has expired',
    'az ad app credential reset --id 11111111-2222-3333-4444-555555555555 --keyvault kv-relay --cert graph-client-secret --append',
  ],
  [
    'a secret that no connection uses',
    anExpiring({ uses: [], name: 'erp-key' }),
    'The secret erp-key expires in 7 days',
    'az keyvault secret set-attributes --vault-name kv-relay --name erp-key --enabled false',
  ],
  [
    'no date',
    { ...about, state: 'no-expiry-date', version: '0f3a' },
    'The client secret graph-client-secret has no expiry date in the vault',
    'az keyvault secret set-attributes --vault-name kv-relay --name graph-client-secret --version 0f3a --expires <date>',
  ],
  [
    'no date, with that of Entra',
    { ...about, state: 'no-expiry-date', version: '0f3a', entraDate: dates.entraDate },
    'The client secret graph-client-secret has no expiry date in the vault',
    'az keyvault secret set-attributes --vault-name kv-relay --name graph-client-secret --version 0f3a --expires 2027-03-31T00:00:00Z',
  ],
  [
    'dates that differ',
    { ...about, state: 'dates-differ', version: '0f3a', ...dates },
    'The client secret graph-client-secret has another expiry date in the vault than in Entra',
    'az keyvault secret set-attributes --vault-name kv-relay --name graph-client-secret --version 0f3a --expires 2027-03-31T00:00:00Z',
  ],
  [
    'dates of a certificate that differ',
    { ...about, kind: 'certificate', state: 'dates-differ', version: '0f3a', ...dates },
    'The certificate graph-client-secret has another expiry date in the vault than in Entra',
    'az ad app credential reset --id 11111111-2222-3333-4444-555555555555 --keyvault kv-relay --cert graph-client-secret --append',
  ],
  [
    'a credential that is refused',
    { ...about, state: 'refused', code: 'CLIENT_SECRET_EXPIRED', upstreamCode: 'AADSTS7000222' },
    'The connection main gets no token: The client secret has expired',
    'infra/deploy.sh --resource-group <group> --renew-secret credential',
  ],
];

describe.each(LANGUAGES)('the email in %s', (language) => {
  test.each(ALL)('about %s is valid, and says what to run', (_what, warning, subject, command) => {
    const mail = mailOf([warning], { language });
    expect(mail).toMatchObject({ importance: 'high', priority: 'high' });
    if (language === 'en') expect(mail.subject).toBe(`${subject} (kv-relay)`);
    else expect(mail.subject).toMatch(/[\u4e00-\u9fff]/);
    expect(mail.text).toContain(command);
    expect(mail.html).toContain(
      command.replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
    );
    expect(mail.text, 'no secret is written on a command line').not.toContain('--value');
  });

  test('names the senders and callers that depend on it', () => {
    const { text = '' } = mailOf([anExpiring()], { language });
    for (const one of ['noreply@contoso.example', 'payroll', 'function-keys', 'queue'])
      expect(text).toContain(one);
  });

  test('says that the relay should have renewed it, if it does that itself', () => {
    expect(mailOf([anExpiring()], { language, rotates: true }).text).toContain('SECRET_ROTATION_DAYS');
    expect(mailOf([anExpiring()], { language }).text).not.toContain('SECRET_ROTATION_DAYS');
  });

  test('is one about all warnings, however many there are', () => {
    const many = Array.from({ length: 400 }, (_, index) =>
      anExpiring({ name: `${'n'.repeat(120)}-${index}` }),
    );
    const mail = mailOf(many, { language });
    expect([...(mail.subject ?? '')].length).toBeLessThanOrEqual(200);
    expect(mail.text).toMatch(language === 'en' ? /350 more are not shown/ : /另外 350 則沒有列出/);
    expect(Buffer.byteLength(JSON.stringify(mail))).toBeLessThan(1_000_000);
  });

  test('has no markup from names', () => {
    const { html = '' } = mailOf([anExpiring()], { language, vault: '<img src=x>&"' });
    expect(html).not.toContain('<img');
    expect(html).toContain('&lt;img src=x&gt;&amp;&quot;');
  });
});

test('the email as a reader gets it', () => {
  expect(mailOf([anExpiring()]).text).toMatchInlineSnapshot(`
    "One warning about credentials of Graph Mail Relay, vault kv-relay, 2026-11-22 (UTC).

    1. The client secret graph-client-secret expires in 7 days

       Expires: 2026-11-29 07:00 UTC (7 days left)
       Vault: kv-relay
       Used by: the connection main (tenant contoso.example, application 11111111-2222-3333-4444-555555555555)
       Senders: noreply@contoso.example, *@contoso.example
       Callers: payroll, function-keys (applications with a function key), queue (applications that write to the queue mail)

       After this date, the relay sends no email for these senders: emails from the queue wait and are then held, and callers receive errors.

       What to do

       Create a new client secret and store it in the vault. The relay uses it without a restart, and the old one works until it expires:

         infra/deploy.sh --resource-group <resource group> --renew-secret credential

       Or for the secret alone:

         infra/scripts/store-client-secret.sh --vault-id "$(az keyvault show --name kv-relay --query id --output tsv)" --client-id 11111111-2222-3333-4444-555555555555 --secret-name graph-client-secret --renew

    Sent by Graph Mail Relay. It warns again when less time is left (SECRET_WARNING_DAYS), and every day after the expiry (after seven days weekly, if no connection uses it)."
  `);
  expect(mailOf([anExpiring()], { language: 'zh-Hant' }).text).toMatchInlineSnapshot(`
    "Graph Mail Relay（轉送服務）的認證有 1 則警告，保存庫 kv-relay，2026-11-22（UTC）。

    1. 用戶端秘密（client secret）graph-client-secret 將在 7 天後到期

       到期時間：2026-11-29 07:00 UTC（剩下 7 天）
       金鑰保存庫：kv-relay
       用於：連線 main（租用戶 contoso.example，應用程式 11111111-2222-3333-4444-555555555555）
       寄件者（寄件人）：noreply@contoso.example、*@contoso.example
       呼叫端：payroll、function-keys（使用函式金鑰的應用程式）、queue（寫入佇列 mail 的應用程式）

       到期之後，轉送服務就無法以這些寄件者寄出郵件：佇列（隊列）中的郵件會先等待，之後轉為待人工處理；呼叫端會收到錯誤。

       處理方式

       建立新的用戶端秘密，並存入保存庫。轉送服務不需要重新啟動就會使用它，舊的秘密在到期之前仍然有效：

         infra/deploy.sh --resource-group <resource group> --renew-secret credential

       或者只更新這個秘密：

         infra/scripts/store-client-secret.sh --vault-id "$(az keyvault show --name kv-relay --query id --output tsv)" --client-id 11111111-2222-3333-4444-555555555555 --secret-name graph-client-secret --renew

    由 Graph Mail Relay 寄出。剩餘時間更少時會再次警告（SECRET_WARNING_DAYS），到期之後每天警告一次（沒有連線使用的，七天之後改為每週一次）。"
  `);
});
