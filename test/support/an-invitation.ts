/** An invitation that is fine as it is; undefined leaves a property out. */
export const anInvitation = (override: Readonly<Record<string, string | undefined>> = {}): string => {
  const { METHOD = undefined, VERSION, ...event } = { METHOD: 'REQUEST', VERSION: '2.0', ...override };
  const lines = (properties: Readonly<Record<string, string | undefined>>) =>
    Object.entries(properties).flatMap(([name, value]) =>
      value === undefined ? [] : name.startsWith('BEGIN') ? [name, value] : [`${name}:${value}`],
    );
  return [
    'BEGIN:VCALENDAR',
    ...lines({ VERSION, METHOD }),
    'BEGIN:VEVENT',
    ...lines({
      UID: 'meeting-7@contoso.example',
      DTSTAMP: '20260302T080000Z',
      DTSTART: '20260310T020000Z',
      ORGANIZER: 'mailto:noreply@contoso.example',
      ATTENDEE: 'mailto:chan@contoso.example',
      ...event,
    }),
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n');
};
