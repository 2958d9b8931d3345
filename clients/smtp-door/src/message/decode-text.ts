const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** What old devices mean where it is not UTF-8: latin-1, with the letters that Windows has in its gap (WHATWG calls both so). */
const latin = new TextDecoder('windows-1252');

const hasHighBytes = (bytes: Uint8Array): boolean => bytes.some((byte) => byte > 0x7f);

/** The charset that text without one is in. */
export const charsetOf = (bytes: Uint8Array): 'us-ascii' | 'utf-8' | 'windows-1252' => {
  if (!hasHighBytes(bytes)) return 'us-ascii';
  try {
    utf8.decode(bytes);
    return 'utf-8';
  } catch {
    return 'windows-1252';
  }
};

/** Text that says nothing of its charset. */
export const decodeText = (bytes: Uint8Array): string =>
  (charsetOf(bytes) === 'windows-1252' ? latin : utf8).decode(bytes);
