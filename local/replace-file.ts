import { rename, writeFile } from 'node:fs/promises';

/** Written beside and renamed: whoever reads, and a stop half-way, finds the old file or the new one. */
export const replaceFile = async (file: string, text: string, mode: number): Promise<void> => {
  const beside = `${file}.${process.pid}.new`;
  await writeFile(beside, text, { mode });
  await rename(beside, file);
};
