import { bidi, element } from './elements.js';

const SHOWN = 3;

/** The first few of a list, and the others when asked for. */
export const fewOf = (list, draw) => {
  const few = list.slice(0, SHOWN).map(draw);
  const hidden = list.length - few.length;
  if (hidden <= 0) return few;
  const people = element('span', { class: 'people' }, ...few);
  let open = false;
  const toggle = element('button', { type: 'button', class: 'more-people', 'aria-expanded': 'false' });
  const label = () => {
    toggle.textContent = open ? 'Show fewer' : `and ${hidden.toLocaleString('en')} more`;
    toggle.setAttribute('aria-expanded', String(open));
  };
  toggle.addEventListener('click', () => {
    open = !open;
    people.classList.toggle('all', open);
    people.replaceChildren(...(open ? list.map(draw) : few));
    label();
  });
  label();
  return [people, toggle];
};

export const address = ({ Name, Address }, ...more) =>
  Name === ''
    ? element('span', { class: 'address' }, Address, ...more)
    : element(
        'span',
        { class: 'address' },
        element('b', {}, bidi(Name)),
        ' ',
        element('span', {}, Address),
        ...more,
      );
