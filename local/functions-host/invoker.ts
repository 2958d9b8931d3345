import type { Clock } from './clock.ts';
import type { AppRegistrations, HookName, RegisteredFunction } from './core-api.ts';
import type {
  CoreInvocationContext,
  InvocationRequest,
  InvocationResponse,
  LogCategory,
  LogLevel,
} from './core-types.ts';
import type { HostLog } from './host-log.ts';
import { formatTimespan } from './timespan.ts';

type InvocationResult =
  | { readonly succeeded: true; readonly response: InvocationResponse }
  | { readonly succeeded: false; readonly error: unknown };

/** Never rejects: a function that throws is a failed result. */
export type Invoke = (
  fn: RegisteredFunction,
  /** Where the id has to be known before, as for a streamed request, it is given. */
  request: Omit<InvocationRequest, 'invocationId'> & { readonly invocationId?: string },
  reason: string,
) => Promise<InvocationResult & { readonly invocationId: string }>;

export type InvokerDependencies = {
  readonly registrations: AppRegistrations;
  readonly log: HostLog;
  readonly clock: Clock;
  readonly timeoutMs: number | undefined;
  readonly newId: () => string;
  readonly appHookData: object;
};

/** Runs functions as the Node worker does, each with a timeout and two lines in the log. */
export const makeInvoker = (dependencies: InvokerDependencies): Invoke => {
  const { log, clock, newId } = dependencies;
  return async (fn, request, reason) => {
    const { name } = fn.metadata;
    const invocationId = request.invocationId ?? newId();
    const startedAt = clock.now().getTime();
    const duration = () => `${clock.now().getTime() - startedAt}ms`;
    const say = (level: LogLevel, message: string) => log(level, `Function.${name}`, message, invocationId);
    say('information', `Executing 'Functions.${name}' (Reason='${reason}')`);
    try {
      const response = await withTimeout(dependencies, name, invocationId, () =>
        runAsTheWorkerDoes(dependencies, fn, {
          traceContext: newTraceContext(invocationId),
          ...request,
          invocationId,
        }),
      );
      say('information', `Executed 'Functions.${name}' (Succeeded, Duration=${duration()})`);
      return { succeeded: true, response, invocationId };
    } catch (error) {
      say('error', `Executed 'Functions.${name}' (Failed, Duration=${duration()})\n${describe(error)}`);
      return { succeeded: false, error, invocationId };
    }
  };
};

/** Arguments, preInvocation hooks, the handler, postInvocation hooks, response: in this order, each hook after the other. */
const runAsTheWorkerDoes = async (
  { registrations, log, appHookData }: InvokerDependencies,
  { metadata, callback }: RegisteredFunction,
  request: InvocationRequest,
): Promise<InvocationResponse> => {
  const { name } = metadata;
  const { invocationId } = request;
  let invocationContext: unknown;
  const core: CoreInvocationContext = {
    invocationId,
    metadata,
    request,
    log: (level: LogLevel, category: LogCategory, message: string) => {
      const entry = { level, message, category, invocationContext };
      for (const hook of registrations.hooks.log) hook(entry);
      log(
        entry.level,
        category === 'user' ? `Function.${name}.User` : `Function.${name}`,
        entry.message,
        invocationId,
      );
    },
  };
  if (!registrations.programmingModel) throw new Error('The app set no programming model.');
  const model = registrations.programmingModel.getInvocationModel(core);
  const { context, inputs } = await model.getArguments();
  invocationContext = context;
  const shared = { hookData: {}, appHookData, invocationContext: context };

  core.state = 'preInvocationHooks';
  const pre = { ...shared, inputs, functionCallback: callback };
  await runHooks(registrations, 'preInvocation', pre);

  core.state = 'invocation';
  const post: { result: unknown; error: unknown } = { result: null, error: null };
  const postContext = Object.assign(post, shared, { inputs: pre.inputs });
  try {
    post.result = await model.invokeFunction(context, pre.inputs, pre.functionCallback);
  } catch (error) {
    post.error = error ?? new Error('The function threw neither an error nor a value.');
  }

  core.state = 'postInvocationHooks';
  await runHooks(registrations, 'postInvocation', postContext);
  if (post.error !== null && post.error !== undefined) throw post.error;
  return model.getResponse(context, post.result);
};

/** Runs the hooks of one kind, each after the one before. */
export const runHooks = async (
  registrations: AppRegistrations,
  name: HookName,
  context: object,
): Promise<void> => {
  for (const hook of registrations.hooks[name]) await hook(context);
};

/** The host begins a trace where the caller did not bring one: https://www.w3.org/TR/trace-context/#traceparent-header */
const newTraceContext = (invocationId: string) => {
  const id = invocationId.replaceAll('-', '');
  return { traceParent: `00-${id}-${id.slice(16)}-00`, traceState: '' };
};

/** In Azure the worker is torn down; here the invocation is abandoned and counts as failed. */
const withTimeout = <T>(
  { clock, timeoutMs, log }: InvokerDependencies,
  name: string,
  invocationId: string,
  run: () => Promise<T>,
): Promise<T> => {
  if (timeoutMs === undefined) return run();
  return new Promise<T>((resolve, reject) => {
    const callOff = clock.after(timeoutMs, () => {
      const message = `Timeout value of ${formatTimespan(timeoutMs)} exceeded by function 'Functions.${name}' (Id: '${invocationId}'). Initiating cancellation.`;
      log('error', `Function.${name}`, message, invocationId);
      reject(new Error(message));
    });
    run().then(resolve, reject).finally(callOff);
  });
};

const describe = (error: unknown) =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
