import { randomUUID } from 'node:crypto';
import { listen } from '../http.ts';
import type { Listening } from '../listening.ts';
import { createAdminApi } from './admin-api.ts';
import type { AppSettings } from './app-settings.ts';
import { type Clock, systemClock } from './clock.ts';
import { type AppRegistrations, createCoreApi, createRegistrations } from './core-api.ts';
import type { FunctionInfo } from './function-info.ts';
import { readHostJson } from './host-json.ts';
import { createHostLog } from './host-log.ts';
import type { BackgroundTrigger } from './host-parts.ts';
import { createHostServer } from './host-server.ts';
import { prepareTriggers, readFunctions, toAdminFunctions } from './hosted-functions.ts';
import type { HostKeys } from './http-keys.ts';
import { createHttpTriggers } from './http-trigger.ts';
import { createInFlight, type InFlight } from './in-flight.ts';
import { createInvoker, runHooks } from './invoker.ts';
import { AppLoadError, loadApp } from './load-app.ts';
import { DEFAULT_LEASE_SECONDS } from './process-message.ts';

export type FunctionsHostOptions = HostKeys & {
  /** Holds host.json, and package.json with "main". */
  readonly appFolder: string;
  readonly storageConnectionString: string;
  readonly port: number;
  readonly log: (line: string) => void;
  /** Where bindings look settings up. The app itself reads process.env, as in Azure. */
  readonly settings?: AppSettings;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** How long a stop waits for what runs. */
  readonly drainMs?: number;
  /** Ten minutes in Azure, where nobody can change it; shorter for a test that kills the host and awaits redelivery. */
  readonly queueLeaseSeconds?: number;
};

export type FunctionsHost = Listening & {
  readonly functions: readonly FunctionInfo[];
  /** Resolves when no request, message or timer is being worked on. */
  idle(): Promise<void>;
};

const PORT_SETTING = 'FUNCTIONS_PORT';
const DEFAULT_DRAIN_MS = 10_000;
const HOST = 'Host.Startup';

/** Runs a built Functions app as Azure would. One at a time in a process: see loadApp. */
export async function startFunctionsHost(options: FunctionsHostOptions): Promise<FunctionsHost> {
  const { appFolder, clock = systemClock, random = Math.random, drainMs = DEFAULT_DRAIN_MS } = options;
  const settings: AppSettings = {
    ...(options.settings ?? process.env),
    AzureWebJobsStorage: options.storageConnectionString,
  };
  const hostOptions = readHostJson(appFolder);
  const log = createHostLog(options.log, clock.now, hostOptions.logLevels);
  const registrations = createRegistrations();
  const core = createCoreApi(registrations, (level, category, message) =>
    log(level, `Worker.${category}`, message),
  );
  const app = await loadApp(appFolder, core, registrations);
  const appHookData = {};

  try {
    const inFlight = createInFlight();
    await startApp(registrations, appHookData);
    const hosted = readFunctions(registrations, settings);
    const { background, parts } = prepareTriggers(hosted, {
      settings,
      queueOptions: hostOptions.queues,
      leaseSeconds: options.queueLeaseSeconds ?? DEFAULT_LEASE_SECONDS,
      clock,
      random,
      newId: randomUUID,
      log,
      inFlight,
      invoke: createInvoker({
        registrations,
        log,
        clock,
        timeoutMs: hostOptions.functionTimeoutMs,
        newId: randomUUID,
        appHookData,
      }),
    });

    const { server, refuse } = createHostServer(
      createHttpTriggers(hosted, hostOptions, options, parts.invoke, log),
      createAdminApi({
        keys: options,
        functions: toAdminFunctions(hosted, background, hostOptions, inFlight),
        status: () => ({
          id: 'local',
          state: 'Running',
          version: core.hostVersion,
          processUptime: process.uptime() * 1000,
        }),
      }),
      inFlight,
    );
    const listening = await listen(server, {
      name: 'The functions host',
      port: options.port,
      portSetting: PORT_SETTING,
    });
    const enabled = hosted.filter(({ info }) => !info.disabled).map(({ info }) => background.get(info.name));
    for (const trigger of enabled) trigger?.start();
    log(
      'information',
      HOST,
      `Found ${hosted.length} functions: ${hosted.map(({ info }) => describe(info)).join(', ')}`,
    );

    let closing: Promise<void> | undefined;
    const close = async () => {
      refuse();
      await within(drainMs, clock, stopAll(enabled, inFlight), () =>
        log(
          'warning',
          HOST,
          `Stopping although ${inFlight.count()} invocations still run after ${drainMs} ms.`,
        ),
      );
      await runHooks(registrations, 'appTerminate', { hookData: appHookData, appHookData }).catch(
        (error: unknown) =>
          log(
            'error',
            HOST,
            `An appTerminate hook failed: ${error instanceof Error ? error.message : String(error)}`,
          ),
      );
      await listening.close();
      app.unload();
    };
    return {
      ...listening,
      functions: hosted.map(({ info }) => info),
      idle: () => inFlight.idle(),
      close: () => (closing ??= close()),
    };
  } catch (error) {
    app.unload();
    throw error;
  }
}

/** The end of the worker's start: capabilities are asked for, which locks app.setup, then the appStart hooks run. */
async function startApp(registrations: AppRegistrations, appHookData: object): Promise<void> {
  const capabilities = await registrations.programmingModel?.getCapabilities({});
  if (capabilities?.HttpUri) {
    throw new AppLoadError(
      'The app turned HTTP streaming on (app.setup({ enableHttpStream: true })). The local functions host does not stream; leave it off, or run the app with Core Tools.',
    );
  }
  await runHooks(registrations, 'appStart', { hookData: appHookData, appHookData });
}

async function stopAll(
  triggers: readonly (BackgroundTrigger | undefined)[],
  inFlight: InFlight,
): Promise<void> {
  await Promise.all(triggers.map((trigger) => trigger?.stop()));
  await inFlight.idle();
}

function within(limitMs: number, clock: Clock, work: Promise<void>, onLate: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const callOff = clock.after(limitMs, () => {
      onLate();
      resolve();
    });
    work.then(resolve, reject).finally(callOff);
  });
}

const describe = ({ name, trigger, disabled }: FunctionInfo) =>
  `${name} (${trigger.type}${disabled ? ', disabled' : ''})`;
