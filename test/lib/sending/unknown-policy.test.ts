import { expect, test } from 'vitest';
import { decideOnUnknown, type OnUnknown } from '../../../src/lib/sending/unknown-policy.ts';

test.each<[OnUnknown | undefined, OnUnknown, boolean, boolean, string]>([
  [undefined, 'verify', true, false, 'look-up'],
  [undefined, 'verify', false, false, 'look-up'],
  [undefined, 'resend', true, false, 'look-up'],
  ['resend', 'verify', true, true, 'look-up'],
  [undefined, 'hold', true, false, 'hold'],
  ['hold', 'resend', true, false, 'hold'],
])(
  'of a draft: mail says %s, setting says %s, saved %s, resent %s: %s',
  (ofMail, setting, saveToSentItems, resent, expected) => {
    const mail = { saveToSentItems, onUnknown: ofMail };
    expect(decideOnUnknown(mail, { onUnknown: setting, resent, way: 'draft' })).toBe(expected);
  },
);

test.each<[OnUnknown | undefined, OnUnknown, boolean, boolean, string]>([
  [undefined, 'verify', true, false, 'look-up'],
  [undefined, 'verify', false, false, 'hold'],
  [undefined, 'hold', true, false, 'hold'],
  [undefined, 'resend', true, false, 'resend'],
  [undefined, 'resend', true, true, 'hold'],
  ['hold', 'verify', true, false, 'hold'],
  ['resend', 'hold', false, false, 'resend'],
  ['verify', 'resend', true, true, 'look-up'],
])(
  'mail says %s, setting says %s, saved %s, resent %s: %s',
  (ofMail, setting, saveToSentItems, resent, expected) => {
    const mail = { saveToSentItems, onUnknown: ofMail };
    expect(decideOnUnknown(mail, { onUnknown: setting, resent })).toBe(expected);
  },
);
