/** A time in which storage is not well for one instance, or for all. */
type Spell = {
  readonly instance: string | 'all';
  readonly untilMs: number;
} /** It says nothing until the end; what it was asked is carried out then, or was all along and only not answered. */ & (
  | { readonly kind: 'frozen'; readonly carriesOut: 'at the end' | 'meanwhile' }
  | { readonly kind: 'slow'; readonly answerMs: number }
);

/** How long a request to storage is held on its way there, and its answer on the way back. */
type Delay = { readonly requestMs?: number; readonly answerMs?: number };

export type Weather = {
  readonly begin: (spell: Spell) => void;
  readonly delayOf: (instance: string, nowMs: number) => Delay;
  readonly end: () => void;
};

/** Fair at first. */
export const makeWeather = (): Weather => {
  let spells: Spell[] = [];
  return {
    begin: (spell) => {
      spells = [...spells, spell];
    },
    delayOf: (instance, nowMs) => {
      spells = spells.filter(({ untilMs }) => untilMs > nowMs);
      let [requestMs, answerMs] = [0, 0];
      for (const spell of spells) {
        if (spell.instance !== 'all' && spell.instance !== instance) continue;
        const leftMs = spell.untilMs - nowMs;
        if (spell.kind === 'slow') answerMs = Math.max(answerMs, spell.answerMs);
        else if (spell.carriesOut === 'at the end') requestMs = Math.max(requestMs, leftMs);
        else answerMs = Math.max(answerMs, leftMs);
      }
      return {
        ...(requestMs > 0 ? { requestMs } : {}),
        ...(answerMs > 0 ? { answerMs } : {}),
      };
    },
    end: () => {
      spells = [];
    },
  };
};
