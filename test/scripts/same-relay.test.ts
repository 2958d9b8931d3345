import { expect, test } from 'vitest';
import { RELAY_OPTIONS, sameRelay } from '../../scripts/relay-call.ts';

const usual = RELAY_OPTIONS.folder.default;

test.each([
  [{ folder: usual }, ''],
  [{ folder: usual, url: 'https://func-1.azurewebsites.net' }, ' --url https://func-1.azurewebsites.net'],
  [{ folder: '/tmp/other' }, ' --folder /tmp/other'],
  [
    { folder: "/tmp/Ann's relay", url: 'http://localhost:1' },
    " --folder '/tmp/Ann'\\''s relay' --url http://localhost:1",
  ],
])('a printed command names the relay as the command line did: %j', (given, expected) => {
  expect(sameRelay(given)).toBe(expected);
});
