/**
 * Loaded into a functions host before anything else (`node --import`): its clock can be wrong, and jump while it runs. Timers go on, as they
 * do where the clock of a machine is set.
 */
export type ClockMessage = { readonly clockErrorMs: number };

const isClockMessage = (message: unknown): message is ClockMessage =>
  typeof (message as Partial<ClockMessage> | undefined)?.clockErrorMs === 'number';

let errorMs = Number(process.env.CHAOS_CLOCK_ERROR_MS ?? 0);
process.on('message', (message) => {
  if (isClockMessage(message)) errorMs = message.clockErrorMs;
});

const now = (): number => TrueDate.now() + errorMs;
const TrueDate = Date;

// A proxy rather than a class: what native code makes is still an instance of it.
globalThis.Date = new Proxy(TrueDate, {
  construct: (target, given, newTarget) =>
    Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget),
  apply: () => new TrueDate(now()).toString(),
  get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
});
