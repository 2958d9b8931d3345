/** A server of the local cloud that is up: where it answers, and how to stop it. */
export type Listening = { readonly url: string; readonly port: number; readonly close: () => Promise<void> };
