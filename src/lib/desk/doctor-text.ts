import type { Finding, State } from './finding.ts';
import type { DoctorReport } from './run-doctor.ts';

const WIDTH = 100;
const MARGIN = 10;

const WORDS: Readonly<Record<State, string>> = {
  failed: 'FAILED',
  warning: 'WARNING',
  unknown: 'UNKNOWN',
  ok: 'OK',
};

const HEADLINES: Readonly<Record<State, string>> = {
  failed: 'Something is broken.',
  warning: 'Nothing is broken. Something needs attention.',
  unknown: 'Nothing is wrong that the doctor can see. It could not find out everything.',
  ok: 'Everything is in order.',
};

const ADVICE: Readonly<Record<State, string>> = {
  failed: 'Fix what failed, from the top: one cause often has several effects. Then run the doctor again.',
  warning: 'To prove that emails go out: npm run doctor -- --send-to <you@your.domain>',
  unknown: 'To prove that emails go out: npm run doctor -- --send-to <you@your.domain>',
  ok: 'To prove that emails go out: npm run doctor -- --send-to <you@your.domain>',
};

/** The report for a terminal, the worst first. */
export const toDoctorText = ({ state, time, version, findings }: DoctorReport): string => {
  const counts = (['failed', 'warning', 'unknown', 'ok'] as const)
    .map(
      (one) =>
        [WORDS[one].toLowerCase(), findings.filter((finding) => finding.state === one).length] as const,
    )
    .filter(([, count]) => count > 0)
    .map(([word, count]) => `${count} ${word}`);
  return [
    `Graph Mail Relay ${version}, ${time.slice(0, 19).replace('T', ' ')} UTC`,
    `${HEADLINES[state]} Checks: ${counts.join(', ')}.`,
    '',
    ...findings.flatMap(toLines),
    '',
    ...wrap(ADVICE[state], WIDTH),
    '',
  ].join('\n');
};

const toLines = ({ state, check, subject, seen, remedy, code }: Finding): readonly string[] => {
  const name = subject === undefined ? check : `${check} (${subject})`;
  const codeWords = code === undefined ? '' : ` [${code}]`;
  return [
    ...indented(WORDS[state].padEnd(MARGIN), `${name}: ${seen}${codeWords}`),
    ...(remedy === undefined ? [] : indented(' '.repeat(MARGIN), `What to do: ${remedy}`)),
  ];
};

const indented = (first: string, text: string): readonly string[] =>
  wrap(text, WIDTH - MARGIN).map((line, index) => `${index === 0 ? first : ' '.repeat(MARGIN)}${line}`);

/** Lines of at most this width; a longer word has one of its own. */
const wrap = (text: string, width: number): readonly string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
};
