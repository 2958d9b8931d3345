import { readConnection, resolveExpression } from './app-settings.ts';
import type { TypedData } from './core-types.ts';
import type { TimerTrigger } from './function-info.ts';
import type { BackgroundTrigger, HostedFunction, HostParts } from './host-parts.ts';
import { parseNcrontab } from './ncrontab.ts';
import { startTimerListener, type TimerListener, toTimerArgument } from './timer-listener.ts';
import { openTimerStatusStore } from './timer-status.ts';

const ADMIN_REASON = 'This function was programmatically called via the host APIs.';

/** Checks the bindings of a timer trigger. Throws where its schedule is wrong or a setting is missing. */
export const prepareTimerTrigger = (
  { fn, triggerName }: HostedFunction,
  trigger: TimerTrigger,
  parts: HostParts,
): BackgroundTrigger => {
  const { name } = fn.metadata;
  const { settings } = parts;
  const where = `Function "${name}"`;
  const expression = resolveExpression(trigger.schedule, settings, where);
  const statusStore = openTimerStatusStore(readConnection(undefined, settings, where));
  const schedule = parseNcrontab(expression, settings.WEBSITE_TIME_ZONE || 'UTC');
  // Said now, and not at the first occurrence: a schedule that never comes.
  schedule(parts.clock.now());
  let listener: TimerListener | undefined;

  const run = (data: TypedData, reason: string) =>
    parts.invoke(fn, { inputData: [{ name: triggerName, data }] }, reason);

  return {
    queueName: undefined,
    start: () => {
      listener = startTimerListener({
        ...parts,
        name,
        trigger,
        schedule,
        statusStore,
        run,
      });
    },
    wake: () => {},
    stop: async () => listener?.stop(),
    runNow: () => run(listener?.currentArgument() ?? toTimerArgument(false, undefined), ADMIN_REASON),
  };
};
