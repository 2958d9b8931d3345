import { copyButton, element } from './elements.js';
import { fileLink, isRelay } from './inbox-access.js';
import { size } from './wording.js';

const INDENT = '  ';
const SHOWN_OF_CONTENT_BYTES = 32;
const LONGEST_SHOWN_STRING = 20_000;

const VIA = {
  json: 'Sent as JSON: the body of this request is the whole email.',
  mime: 'Sent as MIME: the body of this request is the message below in base64.',
  draft:
    'Sent as a draft: the relay created it, added its files, and then requested its sending. Below is the draft as Graph kept it.',
};

const VIA_CAPTURED = {
  json: 'Would go as JSON: the body of this request is the whole email.',
  mime: 'Would go as MIME: the body of this request is the message below in base64.',
  draft:
    'Would go as a draft: the relay would create it, add its files, and then request its sending. Below is the draft with its files.',
};

/** The request exactly as the relay sent it to Graph, except that long strings are cut for the eye. */
export const graphRequest = (mailId, { method, path, headers, body, graphRequestId, via, mime }) => {
  const json = () => JSON.stringify(body, null, 2);
  return element(
    'div',
    { class: 'graph-request' },
    element('p', { class: 'request-line' }, element('b', {}, method), ' ', element('code', {}, path)),
    element('p', { class: 'via' }, (isRelay ? VIA_CAPTURED : VIA)[via]),
    element(
      'details',
      {},
      element('summary', {}, `${Object.keys(headers).length} request headers, without authorization`),
      headerTable(Object.entries(headers)),
    ),
    via === 'mime'
      ? codeBlock('MIME message', { mailId, readText: () => decoded(mime), nodes: mimeNodes(mime) })
      : codeBlock('Body of the request', { mailId, readText: json, nodes: toNodes(body) }),
    via === 'mime' &&
      element(
        'details',
        {},
        element('summary', {}, 'The same email as a Graph message'),
        codeBlock('Graph message', { mailId, readText: json, nodes: toNodes(body) }),
      ),
    isRelay
      ? element('p', { class: 'note' }, 'The relay did not make this request: it captured the email.')
      : element(
          'p',
          { class: 'note' },
          'Graph returned 202 with request-id ',
          element('code', {}, graphRequestId),
        ),
  );
};

const codeBlock = (label, { mailId, readText, nodes }) =>
  element(
    'div',
    { class: 'code' },
    element(
      'p',
      { class: 'code-actions' },
      copyButton('Copy', readText),
      fileLink(
        element('a', { target: !isRelay && '_blank' }, 'Complete request as JSON'),
        `api/v1/message/${encodeURIComponent(mailId)}/graph`,
        `${mailId}.json`,
      ),
    ),
    element('pre', { tabindex: '0', 'aria-label': label }, element('code', {}, ...nodes)),
  );

const decoded = (base64) =>
  new TextDecoder().decode(Uint8Array.from(atob(base64.replace(/\s/g, '')), (byte) => byte.charCodeAt(0)));

const mimeNodes = (mime) => {
  const text = decoded(mime);
  if (text.length <= LONGEST_SHOWN_STRING) return [text];
  return [`${text.slice(0, LONGEST_SHOWN_STRING)}…`, token('cut', `${size(decodedLength(mime))} in full`)];
};

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
