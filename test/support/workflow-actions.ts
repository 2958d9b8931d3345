/**
 * Runs actions of a workflow definition as Logic Apps and Power Automate do, as far as the page for them uses them: HTTP with its retry
 * policy and its asynchronous pattern, conditions, Terminate, and what runs after what.
 * https://learn.microsoft.com/azure/logic-apps/logic-apps-workflow-actions-triggers
 * https://learn.microsoft.com/azure/logic-apps/error-exception-handling
 */

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
type Record_ = Readonly<Record<string, Json>>;

type HttpAction = {
  readonly type: 'Http';
  readonly inputs: {
    readonly method: string;
    readonly uri: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: Json;
    readonly retryPolicy: { readonly type: 'exponential'; readonly count: number; readonly interval: string };
  };
  readonly limit: { readonly timeout: string };
  readonly operationOptions?: string;
};
type IfAction = {
  readonly type: 'If';
  readonly expression: Json;
  readonly actions: Actions;
  readonly else: { readonly actions: Actions };
};
type TerminateAction = {
  readonly type: 'Terminate';
  readonly inputs: {
    readonly runStatus: string;
    readonly runError: { readonly code: string; readonly message: string };
  };
};
type Action = (HttpAction | IfAction | TerminateAction) & {
  readonly runAfter: Readonly<Record<string, readonly string[]>>;
};
export type Actions = Readonly<Record<string, Action>>;

export type WorkflowRun = {
  readonly parameters: Record_;
  readonly triggerBody: Record_;
  /** Of actions before these: their outputs, by name. */
  readonly outputs: Readonly<Record<string, Record_>>;
};

type Ended = { readonly status: string; readonly outputs?: Record_ };
type Terminated = { readonly code: string; readonly message: string };
type World = WorkflowRun & { readonly ended: Map<string, Ended> };

/** Runs the actions, and says how the run ended: what each action did, and the error if it was terminated. */
export const runActions = async (
  actions: Actions,
  run: WorkflowRun,
): Promise<{ readonly statuses: Readonly<Record<string, string>>; readonly error?: Terminated }> => {
  const world: World = { ...run, ended: new Map() };
  const error = await runAll(actions, world);
  const statuses = Object.fromEntries([...world.ended].map(([name, { status }]) => [name, status]));
  return { statuses, ...(error === undefined ? {} : { error }) };
};

/** In the order of the definition, which is one that `runAfter` allows. */
const runAll = async (actions: Actions, world: World): Promise<Terminated | undefined> => {
  for (const [name, action] of Object.entries(actions)) {
    const isDue = Object.entries(action.runAfter).every(([before, statuses]) => {
      const ended = world.ended.get(before);
      if (ended === undefined) throw new Error(`${name} runs after ${before}, which is not before it`);
      return statuses.includes(ended.status);
    });
    if (!isDue) {
      world.ended.set(name, { status: 'Skipped' });
      continue;
    }
    if (action.type === 'Terminate') {
      const { code, message } = action.inputs.runError;
      return { code, message: String(evaluate(message, world)) };
    }
    if (action.type === 'If') {
      const error = await runAll(
        isTrue(action.expression, world) ? action.actions : action.else.actions,
        world,
      );
      if (error !== undefined) return error;
      world.ended.set(name, { status: 'Succeeded' });
    } else world.ended.set(name, await callHttp(action, world));
  }
  return undefined;
};

/** What the default of the retry policy, and one of its own, repeat. */
const isRepeated = (status: number): boolean => status === 408 || status === 429 || status >= 500;

const callHttp = async (action: HttpAction, world: World): Promise<Ended> => {
  const { method, uri, headers, body, retryPolicy } = action.inputs;
  const { operationOptions } = action;
  const request = {
    method,
    headers: evaluate(headers, world) as Record<string, string>,
    body: JSON.stringify(evaluate(body, world)),
  };
  const call = (url: string, init: RequestInit) => fetch(url, init).catch(() => undefined);
  const url = String(evaluate(uri, world));
  let response = await call(url, request);
  // Without the intervals, in which nothing happens.
  for (let repeated = 0; repeated < retryPolicy.count; repeated++) {
    if (response !== undefined && !isRepeated(response.status)) break;
    response = await call(url, request);
  }
  const location = response?.headers.get('location');
  if (response?.status === 202 && location != null && operationOptions !== 'DisableAsyncPattern')
    response = await call(new URL(location, url).href, { headers: request.headers });
  if (response === undefined) return { status: 'Failed' };
  const text = await response.text();
  const contentType = response.headers.get('content-type');
  return {
    status: response.ok ? 'Succeeded' : 'Failed',
    outputs: {
      statusCode: response.status,
      headers: contentType === null ? {} : { 'Content-Type': contentType },
      body: contentType?.startsWith('application/json') === true ? JSON.parse(text) : text,
    },
  };
};

const isTrue = (expression: Json, world: World): boolean => {
  const [name = '', operand = null] = Object.entries(expression as Record_)[0] ?? [];
  if (name === 'and') return (operand as readonly Json[]).every((one) => isTrue(one, world));
  if (name === 'or') return (operand as readonly Json[]).some((one) => isTrue(one, world));
  if (name === 'not') return !isTrue(operand, world);
  const [left = null, right = null] = evaluate(operand, world) as readonly Json[];
  if (name === 'equals') return left === right;
  // Both must be numbers, or the run fails.
  if (name === 'less' && typeof left === 'number' && typeof right === 'number') return left < right;
  if (name === 'contains') return String(left).includes(String(right));
  throw new Error(`the condition ${name} is not understood for ${JSON.stringify([left, right])}`);
};

/** `@...` is an expression with a value of any type; `@{...}` is put into the text around it. */
const evaluate = (value: Json, world: World): Json => {
  if (typeof value === 'string') {
    if (/^@[^{@]/.test(value)) return readExpression(value.slice(1), world);
    return value.replaceAll(/@\{((?:'[^']*'|[^}'])*)\}/g, (_, text: string) => {
      const found = readExpression(text, world);
      return found === null ? '' : typeof found === 'object' ? JSON.stringify(found) : String(found);
    });
  }
  if (Array.isArray(value)) return value.map((one) => evaluate(one, world));
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, evaluate(one, world)]));
  return value;
};

const functionsOf = (world: World): Readonly<Record<string, (...args: readonly Json[]) => Json>> => {
  const outputs = (name: Json): Json =>
    world.ended.get(String(name))?.outputs ?? world.outputs[String(name)] ?? null;
  return {
    triggerBody: () => world.triggerBody,
    parameters: (name) => {
      const found = world.parameters[String(name)];
      if (found === undefined) throw new Error(`the workflow has no parameter ${name}`);
      return found;
    },
    outputs,
    body: (name) => (outputs(name ?? null) as Record_ | null)?.body ?? null,
    coalesce: (...all) => all.find((one) => one !== null) ?? null,
    base64: (text) => Buffer.from(String(text)).toString('base64'),
  };
};

/** Calls of functions with texts, numbers and other calls, and `?['name']` behind them. */
const readExpression = (text: string, world: World): Json => {
  const functions = functionsOf(world);
  const tokens = [...text.matchAll(/\s*('(?:[^']|'')*'|\d+|\w+|\?\[|[[\](),])/gy)].map(
    ([, token = '']) => token,
  );
  const take = (expected?: string): string => {
    const token = tokens.shift();
    if (token === undefined || (expected !== undefined && token !== expected))
      throw new Error(`expected ${expected ?? 'more'} in the expression ${text}, received ${token}`);
    return token;
  };
  const next = () => tokens[0];
  const textOf = (token: string): string => token.slice(1, -1).replaceAll("''", "'");
  const readValue = (): Json => {
    const token = take();
    if (token.startsWith("'")) return textOf(token);
    if (/^\d/.test(token)) return Number(token);
    const call = functions[token];
    if (call === undefined) throw new Error(`the function ${token} is not known`);
    take('(');
    const args: Json[] = [];
    while (next() !== ')') {
      args.push(readValue());
      if (next() === ',') take();
    }
    take(')');
    let value = call(...args);
    while (next() === '?[' || next() === '[') {
      take();
      const name = textOf(take());
      take(']');
      if (typeof value === 'string') throw new Error(`${text} reads ${name} of a text`);
      value = (value as Record_ | null)?.[name] ?? null;
    }
    return value;
  };
  const value = readValue();
  if (tokens.length > 0) throw new Error(`${text} does not end where it should`);
  return value;
};
