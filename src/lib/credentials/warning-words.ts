import type { Language } from '../mail/language.ts';
import type { WarningWords } from './warning-text.ts';
import { ENGLISH } from './warning-words-en.ts';
import { CHINESE } from './warning-words-zh-hant.ts';

/** The words of each language. */
export const WARNING_WORDS: Readonly<Record<Language, WarningWords>> = { en: ENGLISH, 'zh-Hant': CHINESE };
