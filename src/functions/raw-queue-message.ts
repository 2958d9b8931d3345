/** Values as the host sends them to a worker (azure-functions-language-worker-protobuf, TypedData). */
type TypedData = { readonly string?: string; readonly json?: string; readonly bytes?: Uint8Array };

/** An invocation as the worker hands it to the functions library. */
type CoreInvocation = {
  readonly metadata: { readonly bindings: Readonly<Record<string, { readonly type: string }>> };
  request: {
    readonly inputData?: readonly { readonly name: string; readonly data: TypedData }[];
    readonly triggerMetadata?: Readonly<Record<string, TypedData>> | null;
  };
};

type ProgrammingModel = {
  readonly name: string;
  readonly version: string;
  getInvocationModel(invocation: CoreInvocation): unknown;
  getCapabilities(capabilities: object): unknown;
};

/** What the worker gives an app as `@azure/functions-core`, as far as it is used here. */
export type FunctionsCore = {
  getProgrammingModel(): ProgrammingModel;
  setProgrammingModel(model: ProgrammingModel): void;
};

/** Facts of the host that are used, in lower case, and how long they can be. */
const FACTS = new Set(['id', 'dequeuecount', 'insertiontime']);
const LONGEST_FACT = 100;

/**
 * Lets queue messages arrive as the bytes they are. The functions library reads them as JSON and walks them recursively
 * before any handler is called, so that a message of 10 KB, nested deep enough, fails every invocation without one of
 * ours ever seeing it (@azure/functions 4.16, src/converters/toCamelCase.ts). Call it after the first function was
 * registered, which is when the library sets its programming model.
 */
export const keepQueueMessagesRaw = (core: FunctionsCore): void => {
  const model = core.getProgrammingModel();
  core.setProgrammingModel({
    name: model.name,
    version: model.version,
    getCapabilities: (capabilities) => model.getCapabilities(capabilities),
    getInvocationModel: (invocation) => {
      const isQueue = Object.values(invocation.metadata.bindings).some(({ type }) => type === 'queueTrigger');
      if (isQueue) invocation.request = toRaw(invocation.request);
      return model.getInvocationModel(invocation);
    },
  });
};

const toRaw = (request: CoreInvocation['request']): CoreInvocation['request'] => ({
  ...request,
  inputData: (request.inputData ?? []).map(({ name, data }) => {
    const text = data.string ?? data.json;
    return text === undefined ? { name, data } : { name, data: { bytes: Buffer.from(text) } };
  }),
  triggerMetadata: Object.fromEntries(
    Object.entries(request.triggerMetadata ?? {}).filter(
      ([name, { string = '', json = '' }]) =>
        FACTS.has(name.toLowerCase()) && string.length + json.length <= LONGEST_FACT,
    ),
  ),
});
