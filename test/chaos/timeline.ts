/** What happened in a run, in order; told only when something went wrong. */
export type Timeline = {
  /** Without a mail it is about the run as a whole. */
  readonly note: (what: string, mailId?: string) => void;
  readonly of: (mailId: string) => readonly string[];
};

export const makeTimeline = (startedAt: number): Timeline => {
  const notes: { readonly atMs: number; readonly what: string; readonly mailId: string | undefined }[] = [];
  return {
    note: (what, mailId) => void notes.push({ atMs: Date.now() - startedAt, what, mailId }),
    of: (mailId) =>
      notes
        .filter((note) => note.mailId === mailId || note.mailId === undefined)
        .map(({ atMs, what }) => `${(atMs / 1000).toFixed(3).padStart(8)} s  ${what}`),
  };
};
