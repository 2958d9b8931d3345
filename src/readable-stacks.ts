import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join } from 'node:path';

/**
 * Shows the places of a stack that are in the bundle in `folder` as files and lines of the source. Node does so by itself if
 * asked before the bundle is loaded, but reads the source maps with it; here each is read with the first stack that needs it.
 */
export const makeStacksReadable = (folder: string): void => {
  const maps = new Map<string, SourceMap | undefined>();
  const mapOf = (file: string): SourceMap | undefined => {
    if (!maps.has(file)) maps.set(file, readMap(join(folder, `${file}.map`)));
    return maps.get(file);
  };
  // As V8 writes it, where Node gives no default (https://v8.dev/docs/stack-trace-api).
  const write = Error.prepareStackTrace ?? ((error, frames) => [error, ...frames].join('\n    at '));
  Error.prepareStackTrace = (error, frames) => {
    const written: unknown = write(error, frames);
    if (typeof written !== 'string') return written;
    const [start = '', ...rest] = written.split(folder);
    return start + rest.map((text) => toSourcePlace(text, mapOf, folder) ?? folder + text).join('');
  };
};

/** What follows the folder in a stack, if it begins with a place in the bundle. */
const PLACE = /^[\\/]([^:\n]+\.cjs):(\d+):(\d+)/;

const toSourcePlace = (
  text: string,
  mapOf: (file: string) => SourceMap | undefined,
  folder: string,
): string | undefined => {
  const [place, file = '', line, column] = PLACE.exec(text) ?? [];
  if (place === undefined) return undefined;
  const entry = mapOf(file)?.findEntry(Number(line) - 1, Number(column) - 1);
  // Code that the bundler made has no source.
  if (entry === undefined || !('originalSource' in entry) || !entry.originalSource) return undefined;
  const path = join(folder, file, '..', entry.originalSource);
  return `${path}:${entry.originalLine + 1}:${entry.originalColumn + 1}${text.slice(place.length)}`;
};

/** A stack is never lost for want of its map. */
const readMap = (path: string): SourceMap | undefined => {
  try {
    return new SourceMap(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
};
