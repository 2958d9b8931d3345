import { randomUUID } from 'node:crypto';
import { listen } from '../http.ts';
import type { Listening } from '../listening.ts';
import { messageOf } from '../message-of.ts';
import { type Drain, makeAdminApi } from './admin-api.ts';
import type { AppSettings } from './app-settings.ts';
import { type Clock, systemClock } from './clock.ts';
import { createCoreApi, createRegistrations } from './core-api.ts';
import type { FunctionInfo } from './function-info.ts';
import { readHostJson } from './host-json.ts';
import { makeHostLog } from './host-log.ts';
import type { BackgroundTrigger } from './host-parts.ts';
import { makeHostServer } from './host-server.ts';
import { prepareTriggers, readFunctions, toAdminFunctions } from './hosted-functions.ts';
import type { HostKeys } from './http-keys.ts';
import { makeHttpTriggers } from './http-trigger.ts';
import { type InFlight, makeInFlight } from './in-flight.ts';
import { makeInvoker, runHooks } from './invoker.ts';
import { loadApp } from './load-app.ts';
import { DEFAULT_LEASE_SECONDS } from './process-message.ts';
import { HOST_ID } from './timer-status.ts';
import { openWorkerProxy, type WorkerProxy } from './worker-proxy.ts';

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
  readonly idle: () => Promise<void>;
};

const PORT_SETTING = 'FUNCTIONS_PORT';
const DEFAULT_DRAIN_MS = 10_000;
const HOST = 'Host.Startup';

/** Runs a built Functions app as Azure would. One at a time in a process: see loadApp. */
export const startFunctionsHost = async (options: FunctionsHostOptions): Promise<FunctionsHost> => {
  const { appFolder, clock = systemClock, random = Math.random, drainMs = DEFAULT_DRAIN_MS } = options;
  const settings: AppSettings = {
    ...(options.settings ?? process.env),
    AzureWebJobsStorage: options.storageConnectionString,
  };
  const hostOptions = readHostJson(appFolder, settings.AZURE_FUNCTIONS_ENVIRONMENT === 'Development');
  const log = makeHostLog(options.log, clock.now, hostOptions.logLevels);
  for (const key of hostOptions.ignored)
    log('warning', HOST, `host.json: ${key} is not a setting of the host and is ignored as in Azure.`);
  const registrations = createRegistrations();
  const core = createCoreApi(registrations, (level, category, message) =>
    log(level, `Worker.${category}`, message),
  );
  const app = await loadApp(appFolder, core, registrations);
  const appHookData = {};
  let workerProxy: WorkerProxy | undefined;

  try {
    const inFlight = makeInFlight();
    const invocations = makeInFlight();
    const invoke = makeInvoker({
      registrations,
      log,
      clock,
      timeoutMs: hostOptions.functionTimeoutMs,
      newId: randomUUID,
      appHookData,
    });
    // The end of the worker's start: capabilities are asked for, which locks app.setup, then the appStart hooks run.
    workerProxy = await openWorkerProxy(() => registrations.programmingModel?.getCapabilities({}));
    await runHooks(registrations, 'appStart', { hookData: appHookData, appHookData });
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
      invoke: (...call) => invocations.track(invoke(...call)),
    });

    const enabled = hosted.filter(({ info }) => !info.disabled).map(({ info }) => background.get(info.name));
    const { server, refuse } = makeHostServer(
      makeHttpTriggers(hosted, { ...parts, ...hostOptions, keys: options, workerProxy }),
      makeAdminApi({
        keys: options,
        functions: toAdminFunctions(hosted, background, hostOptions, parts),
        drain: makeDrain(enabled, invocations),
        status: () => ({
          id: HOST_ID,
          state: 'Running',
          version: core.hostVersion,
          processUptime: process.uptime() * 1000,
        }),
      }),
      inFlight,
      hostOptions.customHeaders,
    );
    const listening = await listen(server, {
      name: 'The functions host',
      port: options.port,
      portSetting: PORT_SETTING,
    });
    for (const trigger of enabled) trigger?.start();
    log(
      'information',
      HOST,
      `Found ${hosted.length} functions: ${hosted.map(({ info }) => describe(info)).join(', ')}`,
    );

    let closing: Promise<void> | undefined;
    const close = async () => {
      refuse();
      await waitWithin(drainMs, clock, stopAll(enabled, inFlight), () =>
        log(
          'warning',
          HOST,
          `Stopping although ${inFlight.count()} invocations still run after ${drainMs} ms.`,
        ),
      );
      await runHooks(registrations, 'appTerminate', { hookData: appHookData, appHookData }).catch(
        (error: unknown) => log('error', HOST, `An appTerminate hook failed: ${messageOf(error)}`),
      );
      await listening.close();
      await workerProxy?.close();
      app.unload();
    };
    return {
      ...listening,
      functions: hosted.map(({ info }) => info),
      idle: () => inFlight.idle(),
      close: () => (closing ??= close()),
    };
  } catch (error) {
    await workerProxy?.close();
    app.unload();
    throw error;
  }
};

const makeDrain = (triggers: readonly (BackgroundTrigger | undefined)[], invocations: InFlight): Drain => {
  let draining = false;
  return {
    start: () => {
      draining = true;
      for (const trigger of triggers) void trigger?.stop();
    },
    status: () => ({
      state: draining ? (invocations.count() > 0 ? 'InProgress' : 'Completed') : 'Disabled',
      outstandingInvocations: invocations.count(),
      outstandingRetries: 0,
    }),
  };
};

const stopAll = async (
  triggers: readonly (BackgroundTrigger | undefined)[],
  inFlight: InFlight,
): Promise<void> => {
  await Promise.all(triggers.map((trigger) => trigger?.stop()));
  await inFlight.idle();
};

const waitWithin = (limitMs: number, clock: Clock, work: Promise<void>, onLate: () => void): Promise<void> =>
  new Promise((resolve, reject) => {
    const callOff = clock.after(limitMs, () => {
      onLate();
      resolve();
    });
    work.then(resolve, reject).finally(callOff);
  });

const describe = ({ name, trigger, disabled }: FunctionInfo) =>
  `${name} (${trigger.type}${disabled ? ', disabled' : ''})`;
