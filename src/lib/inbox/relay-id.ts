import type { CapturedMail } from './captured-mail.ts';

/** The named property of JSON messages and drafts; those who write it are in another room (a test compares). */
const PROPERTY = /\bName MailRelayId$/i;
/** Of MIME. */
const HEADER = 'x-mailrelay-id';

/** The id that the relay returned for an email: the ledger, the log and `npm run mail` know it by this. */
export const relayIdOf = ({ headers, request }: CapturedMail): string | undefined => {
  const { singleValueExtendedProperties = [], internetMessageHeaders = [] } = request.body.message;
  return (
    singleValueExtendedProperties.find(({ id }) => PROPERTY.test(id))?.value ??
    [...(headers ?? []), ...internetMessageHeaders].find(({ name }) => name.toLowerCase() === HEADER)?.value
  );
};
