import { expect, test } from 'vitest';
import { type HostLogLevel, makeHostLog } from '../../../local/functions-host/host-log.ts';

const entries = (levels: Record<string, HostLogLevel>) => {
  const lines: string[] = [];
  const log = makeHostLog(
    (line) => lines.push(line),
    () => new Date('2026-11-22T08:00:00Z'),
    levels,
  );
  return { lines, log };
};

test('an entry has time, level, category and invocation', () => {
  const { lines, log } = entries({});
  log('warning', 'Function.sendMail.User', 'slow', 'an-id');
  expect(lines).toEqual(['2026-11-22T08:00:00.000Z warning Function.sendMail.User an-id: slow']);
});

test('the longest prefix of the category decides the level', () => {
  const { lines, log } = entries({ default: 'none', Function: 'error', 'Function.sendMail': 'debug' });
  log('information', 'Host.Startup', 'left out');
  log('warning', 'Function.deliverMail.User', 'left out');
  log('error', 'Function.sendMailLater', 'shown');
  log('debug', 'Function.sendMail.User', 'shown');
  expect(lines).toHaveLength(2);
});
