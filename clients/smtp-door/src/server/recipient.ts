import { domainToASCII } from 'node:url';
import { addressFault } from '../../../../src/lib/mail/address.ts';
import type { Reply } from './reply.ts';

/** Mail hosts of earlier times passed such addresses on: `x%y@z` and `host!x@z` are how an open relay is tried. */
const ROUTED = /[%!]/;

/** The address with its domain in ASCII (IDNA), which is how headers and Exchange have it. */
export const withAsciiDomain = (address: string): string => {
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  return at === -1 ? address : `${address.slice(0, at)}@${domainToASCII(domain) || domain}`;
};

/** Why an address of RCPT is refused. */
export const recipientFault = (address: string): Reply | undefined => {
  const local = address.slice(0, Math.max(0, address.lastIndexOf('@')));
  if (ROUTED.test(local))
    return {
      code: 550,
      enhanced: '5.7.1',
      text: 'Routes in addresses are not supported. Send to name@example.com alone.',
    };
  if (/[^ -~]/.test(local))
    return {
      code: 553,
      enhanced: '5.6.7',
      text: 'Exchange Online takes ASCII before the @ alone. Use the address of the mailbox in ASCII.',
    };
  const expected = addressFault(withAsciiDomain(address));
  return expected === undefined
    ? undefined
    : { code: 553, enhanced: '5.1.3', text: `Expected ${expected}. Correct the address of the recipient.` };
};
