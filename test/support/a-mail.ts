/** A mail of the contract that is fine as it is; override what the test is about. */
export const aMail = (override: Record<string, unknown> = {}): Record<string, unknown> => ({
  to: 'chan@contoso.example',
  subject: 'Pay slip',
  text: 'Your pay slip is ready.',
  ...override,
});

/** A file of it that is fine as it is. */
export const aFile = (override: Record<string, unknown> = {}): Record<string, unknown> => ({
  filename: 'a.txt',
  content: 'YQ==',
  ...override,
});

/** The base64 of so many bytes. */
export const base64Of = (bytes: number): string => Buffer.alloc(bytes, 7).toString('base64');
