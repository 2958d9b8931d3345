import { afterAll, describe, expect, test } from 'vitest';
import { PAYLOAD_CONTAINER } from '../../src/lib/storage/storage-connection.ts';
import { blobNames } from './blobs.ts';
import { canaryMail, newMarker, startRelay } from './relay-for-tests.ts';

const relay = await startRelay({ storageByIdentity: true });
afterAll(() => relay.close());

describe('a relay that has no connection string of storage, but a managed identity', () => {
  test('sends an email that arrives over HTTP, and its status is known', async () => {
    const marker = newMarker();
    const { status, body } = await relay.send(canaryMail(marker));
    expect([status, body.state]).toEqual([200, 'sent']);
    await relay.arrives(marker);
    expect((await relay.statusOf(body.id)).body.state).toBe('sent');
  });

  test('sends an email that arrives on the queue', async () => {
    const marker = newMarker();
    await relay.enqueue(JSON.stringify(canaryMail(marker)));
    await relay.arrives(marker);
  });

  test('keeps an email that is too large for a message as a blob until it is sent', async () => {
    const marker = newMarker();
    const { status, body } = await relay.send(canaryMail(marker, { text: 'x'.repeat(100_000) }), {
      prefer: 'respond-async',
    });
    expect(status).toBe(202);
    await relay.arrives(marker);
    await relay.reaches(body.id, 'sent');
    await expect.poll(() => blobNames(relay, PAYLOAD_CONTAINER)).toEqual([]);
  });

  test('is given no connection string of storage', () => {
    expect(Object.keys(relay.cloud.environment).filter((name) => name === 'AzureWebJobsStorage')).toEqual([]);
  });
});
