import { describe, expect, test } from 'vitest';
import { readCommandLine, USAGE } from '../../../clients/smtp-door/src/command-line.ts';

const read = (line: string, env = {}) => readCommandLine(line.split(' ').filter(Boolean), env);

describe('the command line', () => {
  test.each([
    ['--config door.json', { kind: 'run', config: 'door.json' }],
    ['check --config door.json', { kind: 'check', config: 'door.json', asksRelay: false }],
    ['check --relay --config d', { kind: 'check', config: 'd', asksRelay: true }],
    ['hash-password', { kind: 'hash-password', isNew: false }],
    ['hash-password --new', { kind: 'hash-password', isNew: true }],
    ['spool list --config d', { kind: 'spool', config: 'd', action: { verb: 'list', json: false } }],
    [
      'spool retry a b --config d',
      { kind: 'spool', config: 'd', action: { verb: 'retry', ids: ['a', 'b'] } },
    ],
    [
      'spool remove --failed --config d',
      { kind: 'spool', config: 'd', action: { verb: 'remove', ids: 'failed' } },
    ],
    ['--help', { kind: 'help' }],
    ['spool --help', { kind: 'help' }],
    ['--version', { kind: 'version' }],
  ])('%s', (line, command) => {
    expect(read(line)).toEqual(command);
  });

  test('takes the configuration from the environment, where no option names one', () => {
    expect(read('', { SMTP_DOOR_CONFIG: 'e.json' })).toEqual({ kind: 'run', config: 'e.json' });
    expect(read('--config d.json', { SMTP_DOOR_CONFIG: 'e.json' })).toEqual({
      kind: 'run',
      config: 'd.json',
    });
  });

  test.each([
    ['', 'Expected --config <file> or the environment variable SMTP_DOOR_CONFIG, received neither.'],
    ['chek --config d', 'Expected check, hash-password, spool or no command, received chek.'],
    ['spool --config d', 'Expected spool list, spool retry or spool remove, received spool.'],
    ['spool retry --config d', 'Expected ids or --failed after spool retry, received neither.'],
    ['spool remove a --failed --config d', 'Expected ids or --failed after spool remove, received both.'],
    ['check --failed --config d', 'smtp-door check has no option --failed.'],
    [
      'hash-password secret',
      'Expected the password on standard input, received an argument. Other users of the machine see arguments.',
    ],
    ['--conf d', "Unknown option '--conf'."],
    ['--config', "Option '--config <value>' argument missing."],
  ])('%j is wrong usage', (line, message) => {
    expect(read(line)).toEqual({ kind: 'wrong', message });
  });

  test('the usage names every command', () => {
    for (const command of ['check', 'hash-password', 'spool list', 'spool retry', 'spool remove'])
      expect(USAGE).toContain(`\n  ${command}`);
  });
});
