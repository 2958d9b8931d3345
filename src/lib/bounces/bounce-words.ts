import type { Language } from '../mail/language.ts';
import { BOUNCE_CAUSES, type BounceCause, bounceCauseOf } from './bounce-cause.ts';
import { ENGLISH } from './bounce-words-en.ts';
import { CHINESE } from './bounce-words-zh-hant.ts';

/** What each cause means, and what to do about it. */
export type BounceWords = Readonly<Record<BounceCause, { readonly cause: string; readonly remedy: string }>>;

export const BOUNCE_WORDS: Readonly<Record<Language, BounceWords>> = { en: ENGLISH, 'zh-Hant': CHINESE };

/** Why a recipient did not get the email and what to do, in the words of the relay; the words of other servers are not kept. */
export const explainBounce = (
  code: string | undefined,
  language: Language = 'en',
): { readonly kind: 'permanent' | 'temporary'; readonly cause: string; readonly remedy: string } => {
  const cause = bounceCauseOf(code);
  return { kind: BOUNCE_CAUSES[cause], ...BOUNCE_WORDS[language][cause] };
};
