import ICAL from 'ical.js';

/** A zone with its whole history has some dozens of observances and dates, and a few rules. Each costs time. */
const MOST = { observances: 60, rules: 12, dates: 200 };
/** Outlook begins its rules in 1601. Each year since then is a step. */
const FIRST_YEAR = 1601;

/**
 * Whether the rules of a VTIMEZONE are of the kind that clocks follow: one weekday of one month, each year. The library
 * works out every occurrence until the year asked for, so a rule such as `FREQ=SECONDLY` would keep it busy for hours.
 */
export const hasReadableRules = (zone: ICAL.Component): boolean => {
  const observances = zone.getAllSubcomponents();
  const countOf = (name: string) =>
    observances.reduce((count, observance) => count + observance.getAllProperties(name).length, 0);
  return (
    observances.length > 0 &&
    observances.length <= MOST.observances &&
    countOf('rrule') <= MOST.rules &&
    countOf('rdate') <= MOST.dates &&
    observances.every(hasReadableRule)
  );
};

const hasReadableRule = (observance: ICAL.Component): boolean => {
  const start = observance.getFirstPropertyValue('dtstart');
  if (!(start instanceof ICAL.Time) || start.year < FIRST_YEAR) return false;
  const rules = observance.getAllProperties('rrule').map((property) => property.getFirstValue());
  return rules.length === 0 || (rules.length === 1 && isYearly(rules[0]));
};

/** A fifth weekday does not exist in every year, and the search for one may not end. */
const WEEKDAY_OF_MONTH = /^(?:-1|[1-4])(?:MO|TU|WE|TH|FR|SA|SU)$/;

const isYearly = (rule: unknown): boolean => {
  if (!(rule instanceof ICAL.Recur) || rule.freq !== 'YEARLY' || rule.interval !== 1) return false;
  const { BYMONTH: months = [], BYDAY: days = [], ...others } = rule.parts;
  return (
    Object.keys(others).length === 0 &&
    months.length === 1 &&
    days.length === 1 &&
    WEEKDAY_OF_MONTH.test(String(days[0]))
  );
};
