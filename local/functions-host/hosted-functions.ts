import type { AdminFunction } from './admin-api.ts';
import { type AppSettings, isDisabled } from './app-settings.ts';
import type { AppRegistrations } from './core-api.ts';
import { readFunction } from './function-info.ts';
import type { HostOptions } from './host-json.ts';
import type { BackgroundTrigger, HostedFunction, HostParts } from './host-parts.ts';
import { prepareQueueTrigger } from './queue-trigger.ts';
import { prepareTimerTrigger } from './timer-trigger.ts';

/** The functions of a loaded app with their triggers. Throws for what this host does not run. */
export const readFunctions = (registrations: AppRegistrations, settings: AppSettings): HostedFunction[] =>
  [...registrations.functions.values()].map((fn) => {
    const { triggerName, ...info } = readFunction(fn, isDisabled(fn.metadata.name, settings));
    return { fn, triggerName, info };
  });

/** Checks everything that can be wrong in the bindings, so that it is said before anything has started. */
export const prepareTriggers = (hosted: readonly HostedFunction[], shared: Omit<HostParts, 'wakeQueue'>) => {
  const background = new Map<string, BackgroundTrigger>();
  const parts: HostParts = {
    ...shared,
    wakeQueue: (queueName) => {
      for (const trigger of background.values()) if (trigger.queueName === queueName) trigger.wake();
    },
  };
  for (const one of hosted) {
    const { name, trigger } = one.info;
    if (trigger.type === 'queue') background.set(name, prepareQueueTrigger(one, trigger, parts));
    if (trigger.type === 'timer') background.set(name, prepareTimerTrigger(one, trigger, parts));
  }
  return { background, parts };
};

/** The functions as the admin API shows and starts them, by name in lower case. */
export const toAdminFunctions = (
  hosted: readonly HostedFunction[],
  background: ReadonlyMap<string, BackgroundTrigger>,
  { routePrefix }: HostOptions,
  { inFlight, log }: Pick<HostParts, 'inFlight' | 'log'>,
): Map<string, AdminFunction> =>
  new Map(
    hosted.map(({ info, fn }) => [
      info.name.toLowerCase(),
      {
        info,
        bindings: Object.entries(fn.metadata.bindings).map(([name, binding]) => ({ name, ...binding })),
        invokePath:
          info.trigger.type === 'http'
            ? `/${[routePrefix, info.trigger.route].filter(Boolean).join('/')}`
            : undefined,
        start: (input) => {
          const run = background.get(info.name)?.runNow(input);
          if (run) void inFlight.track(run);
          else
            log(
              'warning',
              `Function.${info.name}`,
              `'${info.name}' is an HTTP function, and was not run: the admin API has no request for it.`,
            );
        },
      },
    ]),
  );
