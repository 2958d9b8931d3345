/** As many as the queue path is measured with at most. */
export const MAILBOXES: readonly string[] = Array.from(
  { length: 20 },
  (_, index) => `bench${index + 1}@contoso.example`,
);

/** The mailbox of a mail, when `among` of them take turns. */
export const mailboxOf = (index: number, among = MAILBOXES.length): string => MAILBOXES[index % among] ?? '';

const RECIPIENT = 'chan@contoso.example';
const SUBJECT = 'Pay slip';
/** About what an approval or a pay slip notice is: 2 KB of HTML, no attachment. */
const HTML = `<p>Your pay slip for November is ready.</p>${'<p>You find it in the portal.</p>'.repeat(60)}`;

/** A mail as an application gives it to the relay. */
export const sampleMail = (mailbox: string) => ({
  from: mailbox,
  to: RECIPIENT,
  subject: SUBJECT,
  html: HTML,
});

/** The same mail as Graph takes it, with a property by which it can be found. Written here, so that no change of the relay changes it. */
export const sampleGraphBody = (mailbox: string): string =>
  JSON.stringify({
    message: {
      subject: SUBJECT,
      body: { contentType: 'html', content: HTML },
      from: { emailAddress: { address: mailbox } },
      toRecipients: [{ emailAddress: { address: RECIPIENT } }],
      importance: 'normal',
      singleValueExtendedProperties: [
        {
          id: 'String {6a1f7f0e-3c52-4f0b-9d55-5c4f2f8a7b61} Name MailRelayId',
          value: '0193e8a0-0000-7000-8000-000000000000',
        },
      ],
    },
    saveToSentItems: true,
  });

/** A mail with one attachment, of exactly so many bytes as JSON. */
export const largeMail = (mailbox: string, subject: string, bytes: number): Buffer => {
  const withContent = (content: string) =>
    Buffer.from(
      JSON.stringify({
        ...sampleMail(mailbox),
        subject,
        attachments: [{ filename: 'statement.pdf', content }],
      }),
    );
  // Base64 comes in fours; the rest is blanks behind the JSON.
  const room = bytes - withContent('').byteLength;
  const mail = withContent('JVBERi0x'.repeat(Math.ceil(room / 8)).slice(0, room - (room % 4)));
  return Buffer.concat([mail, Buffer.alloc(bytes - mail.byteLength, ' ')]);
};
