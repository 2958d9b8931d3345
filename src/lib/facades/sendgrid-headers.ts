import { type GivenHeader, sortHeaders } from './header-fields.ts';
import { HEADERS_NOT_CARRIED } from './sendgrid-fields.ts';
import { type Findings, tell } from './sendgrid-findings.ts';

/** The headers of an object, and where each is. */
export const headersIn = (
  object: Readonly<Record<string, unknown>> | undefined,
  place: string,
): readonly GivenHeader[] =>
  Object.entries(object ?? {}).map(([name, value]) => ({ name, value, place: `${place}.${name}` }));

/** Those of the email, and those of a personalization in their place. */
export const withOwn = (
  shared: readonly GivenHeader[],
  own: readonly GivenHeader[],
): readonly GivenHeader[] => {
  const names = new Set(own.map(({ name }) => name.toLowerCase()));
  return [...shared.filter(({ name }) => !names.has(name.toLowerCase())), ...own];
};

/** A name that is not one of a header may be somebody's data. */
const placeOf = ({ name, place }: GivenHeader): string =>
  /^[\w.-]{1,64}$/.test(name) ? place : place.slice(0, -name.length - 1);

/** Reads headers as fields of our email. */
export const readHeaders = (
  findings: Findings,
  given: readonly GivenHeader[],
): Readonly<Record<string, unknown>> => {
  const { fields, others, contradicting } = sortHeaders(given);
  for (const header of contradicting)
    tell(
      findings,
      placeOf(header),
      'the same as the other headers say of it',
      header.value,
      'HEADER_NOT_CARRIED',
    );
  for (const header of others) {
    const expected = HEADERS_NOT_CARRIED.get(header.name.toLowerCase());
    if (expected !== undefined) tell(findings, placeOf(header), expected, header.value, 'HEADER_NOT_CARRIED');
    const pointer = `/headers/${header.name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    findings.places.set(pointer, placeOf(header));
  }
  for (const [field, header] of fields) findings.places.set(`/${field}`, placeOf(header));
  const carried = others.filter(({ name }) => !HEADERS_NOT_CARRIED.has(name.toLowerCase()));
  return {
    ...Object.fromEntries([...fields].map(([field, { value }]) => [field, value])),
    ...(carried.length === 0
      ? {}
      : { headers: Object.fromEntries(carried.map(({ name, value }) => [name, value])) }),
  };
};
