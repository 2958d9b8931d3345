import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCaller } from '../../../src/lib/callers/caller-definition.ts';
import type { StoredCaller } from '../../../src/lib/callers/stored-caller.ts';
import { toCloudEvent } from '../../../src/lib/events/cloud-event.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import type { Envelope } from '../../../src/lib/ledger/queue-message.ts';
import { EVENT_TYPES } from '../../../src/lib/ledger/relay-event.ts';
import { EVENTS, SOURCE } from '../../support/an-event.ts';
import { CALLER, ENVELOPE, MAILS_WITH, ROWS } from '../../support/every-field.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { lastRelease, loadLastRules, type Rules } from '../../support/last-release.ts';
import * as now from '../../support/rules-of-release.ts';

const last = loadLastRules();
const changelog = readFileSync(join(import.meta.dirname, '../../../CHANGELOG.md'), 'utf8');

const WAYS: readonly (readonly [string, Rules, Rules])[] = [
  ['the last release', now, last],
  ['the version of now', last, now],
];

const ADVICE = `During a deployment, and after going back, ${lastRelease.version} works on what this version writes. Write it so that ${lastRelease.version} understands it too, or leaves it alone; read it in one release and write it in the next (docs/decisions/47-old-and-new-side-by-side.md).`;

/** Every email here is good, and so is every message. */
const attempt = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (failure) {
    return failure;
  }
};

describe.each(WAYS)('%s reads what the other version has written', (_reader, writer, reader) => {
  const envelopeOf = (mail: object): Envelope => ({
    ...writer.newEnvelope({
      ...ENVELOPE,
      contentHash: IDENTITY.hashOfContent(mail),
      content: { mail },
    }),
    ...ENVELOPE,
  });

  test.each(Object.entries(MAILS_WITH))('an envelope whose email has %s', (_field, mail) => {
    const envelope = envelopeOf(mail);
    const read = attempt(() => reader.readQueueMessage(writer.toQueueText(envelope, IDENTITY), IDENTITY));
    expect(read, `It would be held. ${ADVICE}`).toMatchObject({ kind: 'envelope' });
    const { kind: _, content, ...known } = read as { readonly kind: string } & Envelope;
    expect(envelope, `Some of it would be read as something else. ${ADVICE}`).toMatchObject(known);
    const inside = content as { readonly mail: unknown };
    expect(
      attempt(() => reader.readMail(inside.mail)),
      `The email would be held. ${ADVICE}`,
    ).not.toBeInstanceOf(Error);
  });

  test('an envelope whose email is stored', () => {
    const envelope: Envelope = { ...envelopeOf({}), content: 'stored' };
    const read = attempt(() => reader.readQueueMessage(writer.toQueueText(envelope, IDENTITY), IDENTITY));
    expect(read, `It would be held. ${ADVICE}`).toMatchObject({ kind: 'envelope', content: 'stored' });
  });

  test.each(ROWS.map((row): [string, LedgerRow] => [row.fate.state, row]))(
    'a row that is %s, and files it in the same places',
    (_state, row) => {
      const entity = { ...writer.toEntity(row, writer.prefixesOf(row)), etag: '"1"' };
      expect(reader.toEntry(entity).row, ADVICE).toEqual(row);
      expect(reader.indexKeyOf(row), `The sweep of the other version would not find it. ${ADVICE}`).toBe(
        writer.indexKeyOf(row),
      );
      expect(
        reader.prefixesOf(row),
        `Searches would miss emails that the other version wrote: file them again (src/lib/storage/file-earlier.ts). ${ADVICE}`,
      ).toEqual(writer.prefixesOf(row));
    },
  );

  test.each(EVENT_TYPES)('a message of the webhooks with %s', (eventType) => {
    const event = toCloudEvent({ ...EVENTS.mail, eventType } as typeof EVENTS.mail, SOURCE);
    const message = { event, receiver: 'crm', attempts: 2, since: new Date('2026-03-02T08:00:00.000Z') };
    const read = reader.readWebhookText(writer.toWebhookText(message, IDENTITY), IDENTITY);
    expect(read, `It would be dropped, and the receiver would never learn of it. ${ADVICE}`).toEqual(message);
  });
});

describe('a caller', () => {
  const keep = (rules: Rules, fields: readonly string[]): string => {
    const definition = Object.fromEntries(Object.entries(CALLER).filter(([name]) => fields.includes(name)));
    const { declaration, problems } = readCaller(definition);
    if (declaration === undefined) throw new Error(JSON.stringify(problems));
    const stored: StoredCaller = {
      ...{ name: 'payroll', declaration, isDisabled: false, keys: [] },
      ...{ createdAt: '2026-03-01T08:00:00.000Z', updatedAt: '2026-03-01T08:00:00.000Z' },
    };
    return rules.toStoredJson(stored);
  };

  test.each(WAYS)('is read by %s, with every rule that both versions know', (_reader, writer, reader) => {
    const both = now.CALLER_FIELDS.filter((field) => last.CALLER_FIELDS.includes(field));
    const json = keep(writer, both);
    expect(reader.readStoredJson('payroll', json), `The caller would be refused. ${ADVICE}`).toEqual(
      writer.readStoredJson('payroll', json),
    );
  });

  test('may have a rule that the last release does not know only where CHANGELOG.md says when to set it', () => {
    const added = now.CALLER_FIELDS.filter((field) => !last.CALLER_FIELDS.includes(field));
    const told = added.filter((field) =>
      changelog
        .split('\n- ')
        .some((entry) => entry.includes(`\`${field}\``) && /(?:after|once) the deployment/i.test(entry)),
    );
    expect(
      told,
      `${lastRelease.version} refuses every email of a caller with a rule that it does not know. Name the rule in CHANGELOG.md, in an entry that says to set it after the deployment.`,
    ).toEqual(added);
  });
});
