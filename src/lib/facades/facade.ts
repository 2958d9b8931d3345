/** Providers of email whose API the relay speaks, so that applications written for one need another address and key and nothing else. */
export const FACADES = ['sendgrid', 'resend', 'postmark'] as const;

export type FacadeName = (typeof FACADES)[number];

/** The names in a list that are façades, each once; `isValid` says whether all of them are. */
export const readFacades = (
  text: string,
): { readonly names: readonly FacadeName[]; readonly isValid: boolean } => {
  const given = text
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  return {
    names: FACADES.filter((name) => given.includes(name)),
    isValid: given.every((name) => FACADES.some((one) => one === name)),
  };
};

/** An email in the words of a provider, as one of ours. */
export type TranslatedMail = {
  /** What `POST /api/mail` would receive; the rules of an email are applied to it, and nothing was checked yet. */
  readonly input: Readonly<Record<string, unknown>>;
  /** The field of the provider that a JSON pointer into `input` comes from, in the way the provider writes it. */
  readonly fieldOf: (pointer: string) => string;
};

/** What a façade answers, in the form of the provider. Without `json` the body is empty. */
export type FacadeAnswer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
};
