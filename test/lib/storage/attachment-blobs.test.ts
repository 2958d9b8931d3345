import { BlobServiceClient } from '@azure/storage-blob';
import { describe, expect, test } from 'vitest';
import { openMailBlobs } from '../../../src/lib/storage/mail-blobs.ts';
import { ATTACHMENT_CONTAINER } from '../../../src/lib/storage/storage-connection.ts';
import { awayStorage, storageForTests } from './storage-for-tests.ts';

const { connection } = await storageForTests();
const { attachments } = openMailBlobs(connection);
const container = BlobServiceClient.fromConnectionString(connection.connectionString).getContainerClient(
  ATTACHMENT_CONTAINER,
);
await container.createIfNotExists();

const upload = async (name: string, content: Buffer): Promise<string> => {
  const { etag } = await container.getBlockBlobClient(name).upload(content, content.length);
  return etag ?? '';
};

const CONTENT = Buffer.from('0123456789');

describe('a file that an application has uploaded', () => {
  test.each(['a.bin', 'folder/薪資單 1.bin', 'a+b%20c&d=.bin', '%2e%2e/x'])(
    'is found by its name, %s, with its size and version, and read in parts',
    async (name) => {
      const etag = await upload(name, CONTENT);
      expect(await attachments.find(name)).toEqual({ bytes: 10, etag });
      expect(await attachments.read(name, etag, 0, 10)).toEqual(CONTENT);
      expect(await attachments.read(name, etag, 3, 4)).toEqual(Buffer.from('3456'));
    },
  );

  test('is gone for who saw another version of it', async () => {
    const etag = await upload('changes.bin', CONTENT);
    const later = await upload('changes.bin', Buffer.from('other'));
    expect(later).not.toBe(etag);
    expect(await attachments.read('changes.bin', etag, 0, 5)).toBeUndefined();
    await container.deleteBlob('changes.bin');
    expect(await attachments.read('changes.bin', later, 0, 5)).toBeUndefined();
    expect(await attachments.find('changes.bin')).toBeUndefined();
  });
});

test('a container that is missing is a fault of the setup, not a file that is missing', async () => {
  await container.delete();
  await expect(attachments.find('a.bin')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});

test('storage that cannot be reached is STORAGE_UNAVAILABLE', async () => {
  const away = openMailBlobs(awayStorage(connection)).attachments;
  await expect(away.find('a.bin')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});
