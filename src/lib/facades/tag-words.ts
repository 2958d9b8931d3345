/*
 * Categories, tags and metadata of providers as tags of ours, which have letters, digits, dots, dashes and underscores only. Whether
 * the result is short enough, and not too many, the rules of an email say.
 */

/** ASCII blanks and punctuation become dashes; other characters stay, and the rules of an email refuse them. */
export const tagWord = (text: string): string => text.trim().replace(/[\t -,/:-@[-^`{-~]/g, '-');

/** A pair of metadata as one tag. */
export const tagPair = (key: string, value: string): string => `${tagWord(key)}.${tagWord(value)}`;
