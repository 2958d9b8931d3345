import { describe, expect, test } from 'vitest';
import { readContent, readStored } from '../../../src/lib/delivery/read-content.ts';
import { earlierHashOfContent } from '../../../src/lib/ledger/earlier-identity.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aMail } from '../../support/a-mail.ts';
import { inMemoryPorts } from '../../support/in-memory-ports.ts';

const { mailId, content, facts, envelope, stored } = aDelivery();

const storing = async (json: string, contentHash = facts.bodyHash) => {
  const { needs } = inMemoryPorts();
  await needs.payloads.put(mailId, contentHash, [Buffer.from(json)]);
  return needs;
};

describe('the content of an envelope', () => {
  test('is the one in it', async () => {
    expect(await readContent(inMemoryPorts().needs, envelope)).toEqual(content);
  });

  test('is the one that is stored under its id and hash', async () => {
    expect(await readContent(await storing(JSON.stringify(content)), stored)).toEqual(content);
  });

  test.each([
    ['what is stored is another email', JSON.stringify(aMail({ subject: 'other' }))],
    ['what is stored is no JSON', '{"to":'],
    ['what is stored is no email', '5'],
  ])('is gone where %s', async (_case, json) => {
    expect(await readContent(await storing(json), stored)).toBeUndefined();
  });

  test('is gone where nothing is stored', async () => {
    expect(await readContent(inMemoryPorts().needs, stored)).toBeUndefined();
  });

  test('is also one that an earlier version of the relay stored', async () => {
    const contentHash = earlierHashOfContent(content);
    const needs = await storing(JSON.stringify(content), contentHash);
    expect(await readContent(needs, { ...stored, contentHash })).toEqual(content);
  });
});

test('what is stored for a row is read as it is, and what is no JSON is nothing', async () => {
  expect(await readStored(await storing(JSON.stringify(content)), facts)).toEqual(content);
  expect(await readStored(await storing('{'), facts)).toBeUndefined();
  expect(await readStored(inMemoryPorts().needs, facts)).toBeUndefined();
});
