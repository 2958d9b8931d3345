/** Old entries make room: the bench sends 100,000 mails. */
const MOST_ENTRIES = 200_000;

/** One request as the stand-in saw it. Filled in as it becomes known; no subject, no body, no token. */
export type SeenRequest = {
  readonly requestId: string;
  readonly clientRequestId: string;
  readonly time: string;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Primary address; null until the mailbox is found. */
  mailbox: string | null;
  /** How many requests of this app were in this mailbox at that moment, this one included. */
  concurrency: number | null;
  outcome: 'under way' | 'answered' | 'reset' | 'client left';
  /** Null when nothing was answered. */
  status: number | null;
  code: string | null;
  /** Whether the mail was accepted, whatever was answered. */
  accepted: boolean;
  /** The id of the fault rule that took the request. */
  fault: number | null;
};

export type RequestLog = ReturnType<typeof makeRequestLog>;

/** The requests of one server, in memory. */
export const makeRequestLog = () => {
  let entries: SeenRequest[] = [];
  return {
    begin: (
      seen: Pick<SeenRequest, 'requestId' | 'clientRequestId' | 'time' | 'method' | 'path'>,
    ): SeenRequest => {
      const entry: SeenRequest = {
        ...seen,
        mailbox: null,
        concurrency: null,
        outcome: 'under way',
        status: null,
        code: null,
        accepted: false,
        fault: null,
      };
      if (entries.length >= MOST_ENTRIES) entries = entries.slice(MOST_ENTRIES / 2);
      entries.push(entry);
      return entry;
    },
    /** Oldest first. */
    list: (): readonly Readonly<SeenRequest>[] => entries.map((entry) => ({ ...entry })),
    clear: () => {
      entries = [];
    },
  };
};
