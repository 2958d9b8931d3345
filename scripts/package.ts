import { relative } from 'node:path';
import { makePackage } from './deployment-package.ts';

const { folder, zip, zipBytes, files } = await makePackage();
const here = (path: string): string => relative(process.cwd(), path);

for (const { path, bytes } of files) console.log(`${String(bytes).padStart(10)}  ${path}`);
console.log(`Made ${here(zip)}, ${zipBytes} bytes, and the same unzipped in ${here(folder)}.`);
