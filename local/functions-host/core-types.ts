/**
 * The part of `@azure/functions-core` that `@azure/functions` uses. Microsoft never published that package: the Node
 * worker makes it at run time. Shapes as read in @azure/functions 4.16.5 `src/`.
 */
export type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';
export type LogCategory = 'user' | 'system' | 'customMetric';

export type Nullable<T> = { readonly value?: T };

export type TypedData = {
  readonly string?: string;
  readonly json?: string;
  readonly bytes?: Uint8Array;
  readonly int?: number;
  readonly double?: number;
  readonly http?: HttpData;
};

export type HttpData = {
  readonly url?: string;
  readonly method?: string;
  readonly nullableHeaders?: Record<string, Nullable<string>>;
  readonly nullableParams?: Record<string, Nullable<string>>;
  readonly nullableQuery?: Record<string, Nullable<string>>;
  readonly headers?: Record<string, string>;
  readonly body?: TypedData | null;
  readonly statusCode?: string;
  readonly cookies?: readonly HttpCookie[];
};

export type HttpCookie = {
  readonly name: string;
  readonly value: string;
  readonly domain?: Nullable<string>;
  readonly path?: Nullable<string>;
  readonly expires?: { readonly value?: { readonly seconds: number } };
  readonly secure?: Nullable<boolean>;
  readonly httpOnly?: Nullable<boolean>;
  readonly sameSite?: 'none' | 'lax' | 'strict' | 'explicitNone';
  readonly maxAge?: Nullable<number>;
};

export type Binding = {
  readonly type: string;
  readonly direction: 'in' | 'out' | 'inout';
  readonly [option: string]: unknown;
};

export type FunctionMetadata = { readonly name: string; readonly bindings: Record<string, Binding> };

export type FunctionCallback = (...args: unknown[]) => unknown;

export type InvocationRequest = {
  readonly invocationId: string;
  readonly inputData: readonly { readonly name: string; readonly data: TypedData }[];
  readonly triggerMetadata?: Record<string, TypedData>;
  readonly traceContext?: { readonly traceParent: string; readonly traceState: string };
};

export type InvocationResponse = {
  readonly invocationId: string;
  readonly outputData?: readonly unknown[];
  readonly returnValue?: TypedData | null;
};

export type CoreInvocationContext = {
  readonly invocationId: string;
  readonly metadata: FunctionMetadata;
  readonly request: InvocationRequest;
  state?: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks';
  readonly log: (level: LogLevel, category: LogCategory, message: string) => void;
};

type InvocationModel = {
  readonly getArguments: () => Promise<{ context: unknown; inputs: unknown[] }>;
  readonly invokeFunction: (
    context: unknown,
    inputs: unknown[],
    callback: FunctionCallback,
  ) => Promise<unknown>;
  readonly getResponse: (context: unknown, result: unknown) => Promise<InvocationResponse>;
};

export type ProgrammingModel = {
  readonly name: string;
  readonly version: string;
  readonly getInvocationModel: (context: CoreInvocationContext) => InvocationModel;
  readonly getCapabilities: (capabilities: Record<string, string>) => Promise<Record<string, string>>;
};
