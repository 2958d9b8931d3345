import { expect, test } from 'vitest';
import { catalogue } from '../../src/lib/error-catalogue.ts';
import { azVersion, misunderstoodByAz } from '../support/real-az.ts';

/** A command in a remedy ends where its part of the sentence does. */
const COMMAND = /\baz ([a-z].*?)(?=, |\. |\.$| \(| shows | whether |$)/g;
const WORD = /'[^']*'|"[^"]*"|\S+/g;

const toWords = (command: string): readonly string[] =>
  (command.replaceAll(/<[^>]+>/g, 'x').match(WORD) ?? []).map((word) => word.replaceAll(/^['"]|['"]$/g, ''));

const commands = new Map(
  Object.values(catalogue).flatMap(({ remedy }) =>
    [...remedy.matchAll(COMMAND)].map(([, command = '']) => [command, toWords(command)] as const),
  ),
);

test.skipIf(azVersion === undefined)(
  'az understands every command that a remedy names',
  { timeout: 120_000 },
  async () => {
    expect(commands.size).toBeGreaterThan(20);
    expect(await misunderstoodByAz([...commands.values()])).toEqual([]);
  },
);
