import { relayError } from './relay-error.ts';

/** Options of other transports that change what happens to an email, and what to do instead. */
const NOT_CARRIED: Readonly<Record<string, string>> = {
  auth: 'The key of the transport says who sends: make a transport for each caller.',
  dsn: 'Microsoft Graph sends no delivery notifications on request. Ask the relay for the delivery status, or use the header Return-Receipt-To.',
  requireTLSExtensionEnabled: 'Whether Exchange requires TLS to the next server is set by its connectors.',
  ses: 'It has options of Amazon SES.',
};

/** Values that a library writes to say nothing. */
const saysNothing = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  value === '' ||
  (typeof value === 'object' && Object.values(value).every(saysNothing));

/** What the relay does with an email: at the place of other options, it would be dropped. */
const IN_RELAY = ['sendAt', 'tags', 'onUnknown'];

/** nodemailer's own option is what recipients see, and knows no such word: it would drop it. */
const checkPriority = (priority: unknown): void => {
  if (String(priority).toLowerCase() === 'bulk')
    throw relayError(
      "Wrong option priority of this email. Expected high, normal or low, which recipients see, received bulk. To have the relay send it after other emails, write relay: { priority: 'bulk' }. Nothing was sent.",
      { code: 'EMESSAGE', responseCode: 554 },
    );
};

/** Throws if an email asks for something of SMTP or another transport that would be dropped silently. */
export const checkCarried = (data: Readonly<Record<string, unknown>>): void => {
  for (const option of IN_RELAY) {
    const value = data[option];
    if (value instanceof Date || !saysNothing(value))
      throw relayError(
        `Wrong option ${option} of this email. Expected it within the option relay: write relay: { ${option} }. Nothing was sent.`,
        { code: 'EMESSAGE', responseCode: 554 },
      );
  }
  checkPriority(data.priority);
  const envelope = (data.envelope ?? {}) as Readonly<Record<string, unknown>>;
  for (const [option, instead] of Object.entries(NOT_CARRIED)) {
    const written = [
      [option, data[option]],
      [`envelope.${option}`, typeof envelope === 'object' ? envelope[option] : undefined],
    ] as const;
    for (const [name, value] of written)
      if (!saysNothing(value))
        throw relayError(
          `The relay does not carry the option ${name} of this email. ${instead} Leave it out. Nothing was sent.`,
          { code: 'EMESSAGE', responseCode: 554 },
        );
  }
};
