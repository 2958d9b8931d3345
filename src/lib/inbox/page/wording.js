const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const dayAndMonth = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long' });
const dayMonthYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric' });
const inFull = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'medium' });

const short = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

export const shortTime = (iso) => short.format(new Date(iso));
export const timeOfDay = (iso) => clock.format(new Date(iso));
export const fullTime = (iso) => inFull.format(new Date(iso));

export const dayOf = (iso, now = new Date()) => {
  const date = new Date(iso);
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (date.toDateString() === now.toDateString()) return 'Today';
  if (date.toDateString() === yesterday.toDateString()) return 'Yesterday';
  return (date.getFullYear() === now.getFullYear() ? dayAndMonth : dayMonthYear).format(date);
};

export const size = (bytes) => {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 999_500) return `${(bytes / 1000).toFixed(bytes < 9950 ? 1 : 0)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
};

export const count = (number, one, many = `${one}s`) =>
  `${number.toLocaleString('en')} ${number === 1 ? one : many}`;

export const nameOf = ({ Name, Address }) => Name || Address;

/** "Ada, 王小明 and 498 more" */
export const namesOf = (addresses, shown = 2) => {
  const names = addresses.slice(0, shown).map(nameOf).join(', ');
  return addresses.length > shown
    ? `${names} and ${(addresses.length - shown).toLocaleString('en')} more`
    : names;
};

export const subjectOf = ({ Subject }) => Subject.trim() || '(no subject)';
