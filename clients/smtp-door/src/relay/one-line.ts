/** What a reply of SMTP carries in one line with its codes: 512 bytes (RFC 5321, 4.5.3.1.5). Logs of devices cut earlier. */
const MAX = 400;

const ADDRESS = /[^\s<>"'`,;:]+@[^\s<>"'`,;:]*[^\s<>"'`,;:.]/g;
/** The relay shows forms with them: name@example.com, *@contoso.example. */
const IS_EXAMPLE = /^\*@|@example\.com$/;
const KEY = /gmr_\w+/g;

/** One line of printable ASCII for the log of a device, without addresses and keys. */
export const oneLine = (text: string): string => {
  const line = text
    .normalize('NFKD')
    .replaceAll(ADDRESS, (address) => (IS_EXAMPLE.test(address) ? address : '(address)'))
    .replaceAll(KEY, '(key)')
    .replaceAll(/[^\x20-\x7e\s]/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return line.length <= MAX ? line : `${line.slice(0, MAX - 3).trimEnd()}...`;
};
