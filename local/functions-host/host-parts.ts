import type { AppSettings } from './app-settings.ts';
import type { Clock } from './clock.ts';
import type { RegisteredFunction } from './core-api.ts';
import type { FunctionInfo } from './function-info.ts';
import type { QueueOptions } from './host-json.ts';
import type { HostLog } from './host-log.ts';
import type { InFlight } from './in-flight.ts';
import type { Invoke } from './invoker.ts';

/** What all triggers of one host share. */
export type HostParts = {
  readonly settings: AppSettings;
  readonly queueOptions: QueueOptions;
  readonly leaseSeconds: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newId: () => string;
  readonly log: HostLog;
  readonly inFlight: InFlight;
  readonly invoke: Invoke;
  /** Tells whoever listens to that queue that a message was added. */
  readonly wakeQueue: (queueName: string) => void;
};

/** A function of the app with its trigger read. */
export type HostedFunction = {
  readonly info: FunctionInfo;
  readonly fn: RegisteredFunction;
  readonly triggerName: string;
};

/** A queue or timer trigger whose bindings were checked; nothing runs yet. */
export type BackgroundTrigger = {
  /** Undefined for a timer. */
  readonly queueName: string | undefined;
  readonly start: () => void;
  readonly wake: () => void;
  /** Starts nothing new; what runs goes on. */
  readonly stop: () => Promise<void>;
  /** Runs the function outside its trigger, as the admin API does. */
  readonly runNow: (input: string) => Promise<unknown>;
};
