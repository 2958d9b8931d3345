import { describe, expect, test } from 'vitest';
import type { CredentialWarning } from '../../../src/lib/credentials/credential-warning.ts';
import { isSlackWebhook, toWebhookJson } from '../../../src/lib/credentials/webhook-body.ts';
import { anExpiring } from './a-warning.ts';

const context = {
  vault: 'kv-relay',
  rotates: false,
  language: 'en',
  day: '2026-11-22',
  isSlack: false,
} as const;
const written = (warnings: readonly CredentialWarning[], changes: object = {}) => {
  const json = toWebhookJson(warnings, { ...context, ...changes });
  return { bytes: Buffer.byteLength(json), body: JSON.parse(json) };
};

const many = Array.from({ length: 500 }, (_, index) =>
  anExpiring({
    name: `${'n'.repeat(120)}-${index}`,
    uses: anExpiring().uses.map((use) => ({
      ...use,
      senders: Array.from({ length: 40 }, (_one, number) => `<${'s'.repeat(60)}&${number}>@contoso.example`),
    })),
  }),
);

describe('for Teams, and for all others', () => {
  test('it is a message with an Adaptive Card, a text, and the warnings in fixed fields', () => {
    const { body } = written([anExpiring()]);
    expect(body).toMatchObject({
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          content: { type: 'AdaptiveCard', version: '1.4' },
        },
      ],
      text: expect.stringContaining('- The client secret graph-client-secret expires in 7 days'),
      warnings: [
        {
          credential: 'graph-client-secret',
          kind: 'secret',
          state: 'expiring',
          inUse: true,
          connection: 'main',
          daysLeft: 7,
          expiresOn: '2026-11-29T07:00:00.000Z',
        },
      ],
    });
    const texts = body.attachments[0].content.body.map((one: { text?: string }) => one.text ?? one);
    expect(texts).toEqual([
      'One warning about credentials of Graph Mail Relay, vault kv-relay, 2026-11-22 (UTC).',
      'The client secret graph-client-secret expires in 7 days',
      {
        type: 'FactSet',
        facts: expect.arrayContaining([
          { title: 'Expires', value: '2026-11-29 07:00 UTC (7 days left)' },
          // A star begins bold text in a card.
          { title: 'Senders', value: 'noreply@contoso.example, \\*@contoso.example' },
        ]),
      },
      expect.stringMatching(/^After this date/),
      'What to do',
      expect.stringMatching(/^Create a new client secret/),
      'infra/deploy.sh --resource-group <resource group> --renew-secret credential',
    ]);
  });

  test('it is in the language of the settings', () => {
    expect(written([anExpiring()], { language: 'zh-Hant' }).body.text).toContain(
      '- 用戶端秘密（client secret）graph-client-secret 將在 7 天後到期',
    );
  });
});

describe('for Slack', () => {
  test('it is text and blocks, with what Slack would read as markup escaped', () => {
    const { body } = written([anExpiring()], { isSlack: true, vault: '<kv&relay>' });
    expect(Object.keys(body)).toEqual(['text', 'blocks']);
    expect(body.text).toContain('&lt;kv&amp;relay&gt;');
    expect(body.blocks[1].text.text).toContain('*The client secret graph-client-secret expires in 7 days*');
    expect(body.blocks[1].text.text).toContain(
      '```infra/deploy.sh --resource-group &lt;resource group&gt; --renew-secret credential```',
    );
  });

  test.each([
    ['client secret', { kind: 'secret' }],
    ['certificate', { kind: 'certificate' }],
  ] as const)('a %s with the longest names there are stays below what a section can have', (_, { kind }) => {
    const [use] = anExpiring().uses;
    if (use === undefined) throw new Error('expected a use');
    const long = {
      ...use,
      connection: { ...use.connection, name: 'c'.repeat(60), tenantId: `${'&'.repeat(200)}.example` },
      senders: Array.from({ length: 40 }, (_one, number) => `${'&'.repeat(60)}${number}@contoso.example`),
      callers: Array.from({ length: 40 }, (_one, number) => `${'<'.repeat(50)}${number}`),
    };
    const warning = anExpiring({ kind, name: '&'.repeat(800), uses: Array.from({ length: 30 }, () => long) });
    const { body } = written([warning], { isSlack: true, vault: '&'.repeat(900) });
    for (const { text } of body.blocks) {
      expect(text.text.length).toBeLessThanOrEqual(3000);
      // No half of an escaped sign, and no block of code that does not end.
      expect(text.text.replaceAll(/&(amp|lt|gt);/g, '')).not.toMatch(/[&<>]/);
      expect(text.text.split('```').length % 2).toBe(1);
    }
    expect(body.text.replaceAll(/&(amp|lt|gt);/g, '')).not.toMatch(/[&<>]/);
  });

  test.each([
    ['https://hooks.slack.com/services/T/B/x', true],
    ['https://hooks.slack-gov.com/services/T/B/x', true],
    ['https://hooks.slack.com.example/services/T/B/x', false],
    ['https://example.webhook.office.com/hooks.slack.com', false],
  ])('%s: %s', (url, isSlack) => {
    expect(isSlackWebhook(url)).toBe(isSlack);
  });
});

describe.each([false, true])('however many warnings there are (Slack: %s)', (isSlack) => {
  test('it stays below what Teams and Slack take, and says how many are left out', () => {
    const { bytes, body } = written(many, { isSlack });
    expect(bytes).toBeLessThanOrEqual(27_000);
    expect(body.text).toMatch(/\d+ more are not shown/);
    if (!isSlack) return expect(body.warnings.length).toBeGreaterThan(0);
    expect(body.blocks.length).toBeLessThanOrEqual(50);
    for (const { text } of body.blocks) expect(text.text.length).toBeLessThanOrEqual(3000);
  });
});
