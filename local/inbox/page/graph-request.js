import { copyButton, element } from './elements.js';
import { size } from './wording.js';

const INDENT = '  ';
const SHOWN_OF_CONTENT_BYTES = 32;
const LONGEST_SHOWN_STRING = 20_000;

/** The request exactly as the relay sent it to Graph, except that long strings are cut for the eye. */
export const graphRequest = (mailId, { method, path, headers, body, graphRequestId }) =>
  element(
    'div',
    { class: 'graph-request' },
    element('p', { class: 'request-line' }, element('b', {}, method), ' ', element('code', {}, path)),
    element(
      'details',
      {},
      element('summary', {}, `${Object.keys(headers).length} request headers, without authorization`),
      headerTable(Object.entries(headers)),
    ),
    element(
      'div',
      { class: 'code' },
      element(
        'p',
        { class: 'code-actions' },
        copyButton('Copy', () => JSON.stringify(body, null, 2)),
        element(
          'a',
          { href: `/api/v1/message/${encodeURIComponent(mailId)}/graph`, target: '_blank' },
          'Complete request as JSON',
        ),
      ),
      element(
        'pre',
        { tabindex: '0', 'aria-label': 'Body of the request' },
        element('code', {}, ...toNodes(body)),
      ),
    ),
    element(
      'p',
      { class: 'note' },
      'Graph returned 202 with request-id ',
      element('code', {}, graphRequestId),
    ),
  );

export const headerTable = (rows) =>
  element(
    'table',
    { class: 'headers' },
    element(
      'thead',
      { class: 'unseen' },
      element('tr', {}, element('th', {}, 'Name'), element('th', {}, 'Value')),
    ),
    element(
      'tbody',
      {},
      ...rows.map(([name, value]) =>
        element('tr', {}, element('th', { scope: 'row' }, name), element('td', {}, value)),
      ),
    ),
  );

const toNodes = (value, key = '', indent = '') => {
  if (typeof value === 'string') return stringNodes(value, key);
  if (value === null || typeof value !== 'object') return [token('literal', String(value))];
  const entries = Object.entries(value);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  if (entries.length === 0) return [open + close];
  const inner = indent + INDENT;
  const lines = entries.flatMap(([name, child], index) => [
    `\n${inner}`,
    ...(Array.isArray(value) ? [] : [token('key', JSON.stringify(name)), ': ']),
    ...toNodes(child, name, inner),
    index < entries.length - 1 ? ',' : '',
  ]);
  return [open, ...lines, `\n${indent}`, close];
};

const stringNodes = (value, key) => {
  const shown = key === 'contentBytes' ? SHOWN_OF_CONTENT_BYTES : LONGEST_SHOWN_STRING;
  if (value.length <= shown) return [token('string', JSON.stringify(value))];
  const cut = token('string', `${JSON.stringify(value.slice(0, shown)).slice(0, -1)}…"`);
  return [
    cut,
    token('cut', key === 'contentBytes' ? `${size(decodedLength(value))} in base64` : size(value.length)),
  ];
};

const token = (kind, text) => element('span', { class: `json-${kind}` }, text);

const decodedLength = (base64) => Math.floor((base64.replace(/[=\s]+/g, '').length * 3) / 4);
