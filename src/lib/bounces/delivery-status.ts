import { defined } from '../defined.ts';
import { codeIn, isEnhancedCode, isSpecific } from './enhanced-code.ts';

/** The values of Action (RFC 3464, 2.3.3). */
const ACTIONS = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'] as const;
export type Action = (typeof ACTIONS)[number];

/** What a report says of one recipient. The words of the servers are not kept: they can quote anything. */
export type RecipientFields = {
  /** As the sender gave it, and as the server that reports knows it: after forwarding they differ. */
  readonly addresses: readonly string[];
  readonly action?: Action;
  readonly code?: string;
};

/** As many as an email can have. */
const MOST_RECIPIENTS = 500;
/** Of one recipient hardly a kilobyte. */
const MOST_TEXT = 512 * 1024;

/** The fields of message/delivery-status: one block for the report, then one for each recipient. */
export const parseDeliveryStatus = (text: string): readonly RecipientFields[] =>
  blocksOf(text.slice(0, MOST_TEXT))
    .map(toRecipient)
    .filter(({ addresses }) => addresses.length > 0)
    .slice(0, MOST_RECIPIENTS);

type Block = ReadonlyMap<string, string>;

/** Blocks are parted by empty lines, and a long field goes on in a line that begins with a space. */
const blocksOf = (text: string): readonly Block[] => {
  const blocks: Map<string, string>[] = [];
  let block: Map<string, string> | undefined;
  let last = '';
  for (const line of text.split('\n').map((one) => (one.endsWith('\r') ? one.slice(0, -1) : one))) {
    if (line.trim() === '') {
      block = undefined;
      continue;
    }
    if (block === undefined) {
      block = new Map();
      blocks.push(block);
      last = '';
    }
    const colon = line.indexOf(':');
    if (line.startsWith(' ') || line.startsWith('\t'))
      block.set(last, `${block.get(last) ?? ''} ${line.trim()}`);
    else if (colon > 0) {
      last = line.slice(0, colon).trim().toLowerCase();
      // The first one counts: of a field that is there twice, nobody knows which is meant.
      if (block.has(last)) last = '';
      else block.set(last, line.slice(colon + 1).trim());
    }
  }
  return blocks;
};

const toRecipient = (block: Block): RecipientFields => {
  const addresses = [block.get('original-recipient'), block.get('final-recipient')].flatMap(addressesIn);
  const said = block.get('action')?.toLowerCase() ?? '';
  return {
    addresses: [...new Set(addresses)],
    ...defined({ action: ACTIONS.find((action) => said.startsWith(action)), code: codeOf(block) }),
  };
};

/** `rfc822; ada@fabrikam.example`. The part after the semicolon can be written in xtext (RFC 3461, 4), which looks like an address. */
const addressesIn = (field: string | undefined): readonly string[] => {
  if (field === undefined) return [];
  const plain = field.slice(field.indexOf(';') + 1).trim();
  const address = plain.startsWith('<') && plain.endsWith('>') ? plain.slice(1, -1) : plain;
  if (address === '' || address.length > 400 || !address.includes('@')) return [];
  const decoded = address.replaceAll(/\+([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return decoded === address ? [address] : [address, decoded];
};

/** Many servers write 5.0.0 as the status, and the reason into the words of the server. */
const codeOf = (block: Block): string | undefined => {
  const status = block.get('status')?.split(/[\s(]/, 1)[0] ?? '';
  if (isSpecific(status)) return status;
  const said = codeIn((block.get('diagnostic-code') ?? '').slice(0, 4096));
  return said ?? (isEnhancedCode(status) ? status : undefined);
};
