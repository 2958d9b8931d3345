import { readFile } from 'node:fs/promises';

const FOLDER = new URL('./page/', import.meta.url);

/** The bytes of a file of the operator page. In the bundle another module stands here, as for the inbox page (scripts/bundle.ts). */
export const readPage = (name: 'ops.css'): Promise<Buffer> => readFile(new URL(name, FOLDER));
