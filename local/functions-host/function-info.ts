import type { RegisteredFunction } from './core-api.ts';
import type { Binding } from './core-types.ts';

export type HttpTrigger = {
  readonly type: 'http';
  readonly route: string;
  readonly methods: readonly string[];
  readonly authLevel: 'anonymous' | 'function' | 'admin';
};
export type QueueTrigger = {
  readonly type: 'queue';
  readonly queueName: string;
  readonly connection: string | undefined;
};
export type TimerTrigger = {
  readonly type: 'timer';
  readonly schedule: string;
  readonly runOnStartup: boolean;
  readonly useMonitor: boolean | undefined;
};

/** One function of the app, as the host lists it. */
export type FunctionInfo = {
  readonly name: string;
  readonly disabled: boolean;
  readonly trigger: HttpTrigger | QueueTrigger | TimerTrigger;
};

/** Reads the bindings, and refuses what this host would otherwise silently not do. */
export const readFunction = (
  { metadata }: RegisteredFunction,
  disabled: boolean,
): FunctionInfo & { readonly triggerName: string } => {
  const { name, bindings } = metadata;
  let found: { readonly triggerName: string; readonly trigger: FunctionInfo['trigger'] } | undefined;
  for (const [bindingName, binding] of Object.entries(bindings)) {
    if (binding.type.toLowerCase().endsWith('trigger'))
      found = { triggerName: bindingName, trigger: readTrigger(name, binding) };
    else if (binding.type !== 'http') {
      throw new Error(
        `Function "${name}" has a binding of type "${binding.type}". The local functions host runs HTTP, queue and timer triggers only; use the SDK inside the function, or run the app with Core Tools.`,
      );
    }
  }
  if (!found) throw new Error(`Function "${name}" has no trigger.`);
  return { name, disabled, ...found };
};

const readTrigger = (name: string, binding: Binding): FunctionInfo['trigger'] => {
  switch (binding.type.toLowerCase()) {
    case 'httptrigger':
      return {
        type: 'http',
        route: text(binding.route) ?? name,
        methods: (binding.methods as string[]).map((method) => method.toUpperCase()),
        authLevel: (text(binding.authLevel)?.toLowerCase() ?? 'anonymous') as HttpTrigger['authLevel'],
      };
    case 'queuetrigger':
      return {
        type: 'queue',
        queueName: required(name, binding, 'queueName'),
        connection: text(binding.connection),
      };
    case 'timertrigger':
      return {
        type: 'timer',
        schedule: required(name, binding, 'schedule'),
        runOnStartup: binding.runOnStartup === true,
        useMonitor: typeof binding.useMonitor === 'boolean' ? binding.useMonitor : undefined,
      };
    default:
      throw new Error(
        `Function "${name}" has a trigger of type "${binding.type}". The local functions host runs HTTP, queue and timer triggers only.`,
      );
  }
};

const text = (value: unknown) => (typeof value === 'string' ? value : undefined);

const required = (name: string, binding: Binding, option: string): string => {
  const value = text(binding[option]);
  if (!value) throw new Error(`Function "${name}": the ${binding.type} needs "${option}".`);
  return value;
};
