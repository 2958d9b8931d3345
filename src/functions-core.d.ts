/** The worker gives this module to an app at run time; there is no package of that name. */
declare module '@azure/functions-core' {
  import type { FunctionsCore } from './functions/raw-queue-message.ts';

  export const getProgrammingModel: FunctionsCore['getProgrammingModel'];
  export const setProgrammingModel: FunctionsCore['setProgrammingModel'];
}
