import { join, relative } from 'node:path';
import { makeCommandFile } from './command-file.ts';
import { makePackage } from './deployment-package.ts';

const { folder, zip, zipBytes, files } = await makePackage();
const command = await makeCommandFile(join(import.meta.dirname, '../dist'));
const here = (path: string): string => relative(process.cwd(), path);

for (const { path, bytes } of files) console.log(`${String(bytes).padStart(10)}  ${path}`);
console.log(`Made ${here(zip)}, ${zipBytes} bytes, and the same unzipped in ${here(folder)}.`);
console.log(
  `Made ${here(command.file)}, the commands for operators in one file, and ${here(command.tarball)} for npx.`,
);
