import { readFile } from 'node:fs/promises';

const FOLDER = new URL('./page/', import.meta.url);

/**
 * The bytes of a file of the page; the name is one that the page has. In the bundle another module stands here, which has the
 * files in itself (scripts/bundle.ts): wherever the app is unpacked, they are found.
 */
export const readPage = (name: string): Promise<Buffer> => readFile(new URL(name, FOLDER));
