const SVG = 'http://www.w3.org/2000/svg';

/**
 * Makes an element. Text only ever becomes a text node, so nothing of a mail is read as markup.
 * Properties: `class`, `on` ({ click: ... }), everything else is an attribute; false, null and undefined leave it out.
 */
export const element = (tag, properties = {}, ...children) => {
  const made = document.createElement(tag);
  const { on = {}, ...attributes } = properties;
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    made.setAttribute(name, value === true ? '' : String(value));
  }
  for (const [type, listener] of Object.entries(on)) made.addEventListener(type, listener);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
};

/** Text of an email beside words of the page: each keeps its own direction. */
export const bidi = (text) => element('bdi', {}, text);

/** An icon of the sprite in index.html; the words beside it say what it means. */
export const icon = (name) => {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#icon-${name}`);
  svg.append(use);
  return svg;
};

/** To the list, where the email is the whole page. */
export const backLink = () =>
  element('a', { href: '#/', class: 'quiet back' }, icon('back'), element('span', {}, 'All emails'));

const COPIED_MS = 1600;

export const copyButton = (label, readText) => {
  const words = element('span', {}, label);
  const copy = async () => {
    await navigator.clipboard.writeText(readText());
    words.textContent = 'Copied';
    setTimeout(() => {
      words.textContent = label;
    }, COPIED_MS);
  };
  return element('button', { type: 'button', class: 'quiet copy', on: { click: copy } }, icon('copy'), words);
};
