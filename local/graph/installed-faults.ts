import { type Directory, tenantsOf } from '../directory.ts';
import {
  type CallFault,
  type FaultedCall,
  type FaultRule,
  type FaultRuleInput,
  faultRuleSchema,
  type InstalledFault,
  takeFault,
} from './fault-rules.ts';

export type ListedFault = FaultRule & {
  readonly id: number;
  readonly passed: number;
  readonly fired: number;
};

export class FaultRuleInvalidError extends Error {
  override readonly name = 'FaultRuleInvalidError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `The fault rule is not valid: ${problems.join('; ')}. For example: ` +
        '{"on":"sendMail","times":1,"fault":{"kind":"answer","status":429,"retryAfter":"2"}}',
    );
    this.problems = problems;
  }
}

export type InstalledFaults = ReturnType<typeof makeInstalledFaults>;

/** The fault rules of one server, and how often each was used. */
export const makeInstalledFaults = (directory: () => Directory) => {
  let faults: readonly InstalledFault[] = [];
  let lastId = 0;

  const take = (seen: FaultedCall): InstalledFault | undefined => {
    const result = takeFault(faults, seen);
    faults = result.faults;
    return result.taken;
  };

  return {
    /** Typed for tests, checked for everybody. */
    add: (input: FaultRuleInput): ListedFault => {
      const rule = parseFaultRule(input, directory());
      lastId += 1;
      const fault: InstalledFault = { id: lastId, rule, passed: 0, fired: 0 };
      faults = [...faults, fault];
      return toListed(fault);
    },
    list: (): readonly ListedFault[] => faults.map(toListed),
    clear: () => {
      faults = [];
    },
    takeForCall(
      seen: Exclude<FaultedCall, { on: 'connect' }>,
    ): { readonly id: number; readonly fault: CallFault } | undefined {
      const taken = take(seen);
      return taken === undefined || taken.rule.on === 'connect'
        ? undefined
        : { id: taken.id, fault: taken.rule.fault };
    },
    takesConnection: (): boolean => take({ on: 'connect' }) !== undefined,
  };
};

const parseFaultRule = (input: unknown, directory: Directory): FaultRule => {
  const { data: rule, error } = faultRuleSchema.safeParse(input);
  if (error)
    throw new FaultRuleInvalidError(
      error.issues.map(({ path, message }) =>
        path.length === 0 ? message : `${path.join('.')}: ${message}`,
      ),
    );
  const addresses = tenantsOf(directory).flatMap(({ mailboxes }) =>
    mailboxes.map(({ address }) => address.toLowerCase()),
  );
  if (rule.on !== 'connect' && rule.mailbox !== undefined && !addresses.includes(rule.mailbox))
    throw new FaultRuleInvalidError([
      `mailbox: expected the primary address of a mailbox (${addresses.join(', ')}), received ${rule.mailbox}`,
    ]);
  return rule;
};

const toListed = ({ id, rule, passed, fired }: InstalledFault): ListedFault => ({
  ...rule,
  id,
  passed,
  fired,
});
