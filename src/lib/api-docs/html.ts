/** Text that is HTML already. */
export type Html = { readonly html: string };

type Value = Html | string | number | undefined | readonly Value[];

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => ESCAPES[sign] ?? sign);

const toText = (value: Value): string => {
  if (value === undefined) return '';
  if (typeof value === 'object') return 'html' in value ? value.html : value.map(toText).join('');
  return escaped(String(value));
};

/** A part of a page: whatever is put in is text, unless it is a part itself. */
export const html = (parts: TemplateStringsArray, ...values: readonly Value[]): Html => ({
  html: parts.map((part, index) => part + toText(values[index])).join(''),
});

/** Texts of the document have code between backticks, and nothing else of Markdown. */
export const prose = (text: string): Html => ({
  html: escaped(text).replace(/`([^`]+)`/g, '<code>$1</code>'),
});
