import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDeliveryStatus } from '../../../src/lib/bounces/delivery-status.ts';
import { codeIn } from '../../../src/lib/bounces/enhanced-code.ts';

const fields = (...lines: string[]) => lines.join('\r\n');

describe('the fields of a report', () => {
  test('have a block for each recipient, after the one for the report', () => {
    expect(
      parseDeliveryStatus(
        fields(
          'Reporting-MTA: dns; mx.fabrikam.example',
          '',
          'Final-Recipient: rfc822; ada@fabrikam.example',
          'Action: failed',
          'Status: 5.1.1',
          '',
          'Final-Recipient: rfc822;<bo@fabrikam.example>',
          'Action: delayed (will retry)',
          'Status: 4.4.7 (delayed)',
          '',
        ),
      ),
    ).toEqual([
      { addresses: ['ada@fabrikam.example'], action: 'failed', code: '5.1.1' },
      { addresses: ['bo@fabrikam.example'], action: 'delayed', code: '4.4.7' },
    ]);
  });

  test('name a recipient as the sender gave it and as its server knows it, also written in xtext', () => {
    const [one] = parseDeliveryStatus(
      fields(
        'Original-Recipient: rfc822;ada+2Bnews@fabrikam.example',
        'Final-Recipient: rfc822;ada@inside.example',
        'Action: failed',
      ),
    );
    expect(one?.addresses).toEqual([
      'ada+2Bnews@fabrikam.example',
      'ada+news@fabrikam.example',
      'ada@inside.example',
    ]);
  });

  test.each([
    [
      'the words of the server, where the status says only that it failed',
      'Status: 5.0.0',
      'smtp; 550 5.4.1 denied',
      '5.4.1',
    ],
    ['the status, where it says more', 'Status: 5.1.1', 'smtp; 550 5.4.1 denied', '5.1.1'],
    ['the status, where the words have none', 'Status: 5.0.0', 'smtp; 554 no', '5.0.0'],
    ['the words, folded over lines', 'Status: x', 'smtp;\r\n 550\r\n 5.7.1 no', '5.7.1'],
    ['nothing, where nothing has one', 'Status: failed', 'smtp; no', undefined],
  ])('take the code from %s', (_case, status, words, code) => {
    const [one] = parseDeliveryStatus(
      fields('Final-Recipient: rfc822; a@b.example', 'Action: failed', status, `Diagnostic-Code: ${words}`),
    );
    expect(one?.code).toBe(code);
  });

  test('of a block without an address, or with one that is none, say nothing', () => {
    expect(parseDeliveryStatus('Action: failed\n\nFinal-Recipient: rfc822; nobody\nAction: failed')).toEqual(
      [],
    );
  });

  test('of more recipients than an email can have are not all read', () => {
    const many = 'Final-Recipient: rfc822; a@b.example\nAction: failed\n\n'.repeat(2000);
    expect(parseDeliveryStatus(many)).toHaveLength(500);
  });

  test('never make the parser fail, whatever they are', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '',
        ' x',
        'Final-Recipient: rfc822; a@b.example',
        'Status: 5.1.1',
        'Action: failed',
        ':',
        '\t',
      ),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        for (const { addresses, code } of parseDeliveryStatus(lines.join('\n'))) {
          expect(addresses.length).toBeGreaterThan(0);
          if (code !== undefined) expect(code).toMatch(/^[245]\.\d{1,3}\.\d{1,3}$/);
        }
      }),
    );
  });
});

describe('the code in a text', () => {
  test.each([
    ["Remote server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound'", '5.1.10'],
    ['mx.example #550 5.4.1 denied, version 15.20.7918.035', '5.4.1'],
    ['Remote Server returned: #5.7.1 no', '5.7.1'],
    ['the code is 5.2.2.', '5.2.2'],
    ['back on 5.1.2027 from 10.5.1.1', undefined],
    ['5.1.1 or 5.7.1', undefined],
    ['', undefined],
  ])('of %j is %j', (text, code) => {
    expect(codeIn(text)).toBe(code);
  });
});
