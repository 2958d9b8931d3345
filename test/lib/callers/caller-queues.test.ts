import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canHaveQueue, functionSuffixOf, readCallerQueues } from '../../../src/lib/callers/caller-queues.ts';
import {
  callerQueueOf,
  EVENT_QUEUE,
  MAIL_QUEUE,
  POISON_QUEUE,
  poisonQueueOf,
} from '../../../src/lib/storage/storage-connection.ts';

/** What Storage takes (Naming queues and metadata), and the functions host (ScriptHost, FunctionNameValidationRegex). */
const QUEUE_NAME = /^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/;
const FUNCTION_NAME = /^[a-z][a-z0-9_]{0,127}$/i;

describe('a caller with a queue of its own', () => {
  test.each(['payroll', 'erp-test', 'a1', 'poison-control', 'mail', 'x'.repeat(40)])('can be %s', (name) => {
    expect(canHaveQueue(name)).toBe(true);
  });

  test.each([
    ['one whose queue is the poison queue of `mail`', 'poison'],
    ['one whose queue tells of final states', 'events'],
    ['one whose queue is the poison queue of another', 'payroll-poison'],
    ['the callers that are there by themselves', 'queue'],
    ['the callers that are there by themselves', 'function-keys'],
    ['a hash of a function key', 'key:abc'],
    ['what Storage does not take', 'Payroll'],
    ['what Storage does not take', 'pay--roll'],
    ['what Storage does not take', '-payroll'],
    ['what Storage does not take', 'payroll-'],
    ['what Storage does not take', 'pay_roll'],
    ['what Storage does not take', '薪資'],
    ['a name that is too long', 'x'.repeat(41)],
    ['a name that no caller has', '2fa'],
    ['a name of the relay itself', 'captured'],
    ['no name', ''],
  ])('cannot be %s: %s', (_case, name) => {
    expect(canHaveQueue(name)).toBe(false);
  });

  test('has queues that Storage takes and functions that the host takes, all its own', () => {
    const name = fc.stringMatching(/^[a-z0-9-]{1,55}$/).filter(canHaveQueue);
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 2, maxLength: 6 }), (names) => {
        const queues = names.flatMap((one) => [callerQueueOf(one), poisonQueueOf(callerQueueOf(one))]);
        for (const queue of queues) expect(queue).toMatch(QUEUE_NAME);
        const all = [...queues, MAIL_QUEUE, POISON_QUEUE, EVENT_QUEUE];
        expect(new Set(all).size).toBe(all.length);
        const functions = names.map((one) => `deliverMail${functionSuffixOf(one)}`);
        for (const one of functions) expect(one).toMatch(FUNCTION_NAME);
        expect(new Set(functions).size).toBe(functions.length);
      }),
    );
  });
});

describe('the list of callers with queues', () => {
  test('has each name once, without blanks', () => {
    expect(readCallerQueues(' payroll,helpdesk ,, payroll')).toEqual({
      names: ['payroll', 'helpdesk'],
      isValid: true,
    });
    expect(readCallerQueues('')).toEqual({ names: [], isValid: true });
  });

  test('loses what cannot be one, and keeps the others', () => {
    expect(readCallerQueues('payroll, Help Desk, poison')).toEqual({ names: ['payroll'], isValid: false });
  });
});
