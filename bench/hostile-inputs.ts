const MAIL = '"to":"a@b.cc","subject":"s","text":"t"';

/** The text of a mail with one more field that makes it refused, so that reading it is all there is. */
const refused = (fields: string): string => `{"refused":1,${fields}}`;

/** As many of a piece as fit into so many bytes. */
export const filled = (piece: string, bytes: number): string =>
  piece.repeat(Math.max(1, Math.floor(bytes / Buffer.byteLength(piece))));

/** An ordinary mail of a size: half of it html, half of it a file. */
export const ordinary = (bytes: number): string =>
  refused(
    `"to":"a@b.cc","subject":"s","html":"${filled('<p>Your pay slip is ready.</p>', bytes / 2)}",` +
      `"attachments":[{"filename":"a.bin","content":"${filled('QUJD', bytes / 2)}"}]`,
  );

const quoted = (text: string): string => JSON.stringify(text);
const list = (item: string, bytes: number): string => `[${filled(`${item},`, bytes)}${item}]`;

/** A file with a content id, and html of one piece in which it is looked for. */
const html = (piece: string, bytes: number, before = ''): string =>
  refused(
    `"to":"a@b.cc","subject":"s","html":${quoted(before + filled(piece, bytes))},` +
      '"attachments":[{"filename":"a","content":"","cid":"a"}]',
  );

/** A whole message of one piece, in base64 of about so many bytes. */
const message = (piece: string, bytes: number, header = ''): string =>
  refused(
    `"mime":"${Buffer.from(`From: a@b.cc\nTo: a@b.cc\n${header}\n${filled(piece, bytes * 0.72)}`).toString('base64')}"`,
  );

/** What has been found to cost out of all proportion, and its kin: a JSON text of about so many bytes. */
export const HOSTILE: Readonly<Record<string, (bytes: number) => string>> = {
  'brackets in an address': (bytes) => refused(`"to":${quoted(filled('(', bytes))}`),
  'ten recipients of brackets': (bytes) =>
    refused(`"to":[${Array.from({ length: 10 }, () => quoted(filled('(', bytes / 10))).join()}]`),
  'domains of one letter, and a name': (bytes) =>
    refused(`"to":${list(quoted(`${filled('a.', 580)}a b`), bytes)}`),
  'quotes that never close': (bytes) => refused(`"to":"${filled('\\"', bytes)}"`),
  'angles that never close': (bytes) => refused(`"to":${quoted(filled('a <', bytes))}`),
  'names without an address': (bytes) => refused(`"to":${quoted(filled('a ', bytes))}`),
  'texts of letters for addresses': (bytes) => refused(`"to":${list(quoted(filled('a,', 1000)), bytes)}`),
  'one recipient after the other': (bytes) => refused(`"to":${quoted(filled('a <a@b.cc>,', bytes))}`),
  'a list of ones for recipients': (bytes) => refused(`"to":${list('1', bytes)}`),
  'a list of empty recipients': (bytes) => refused(`"to":${list('""', bytes)}`),
  'a list of objects for recipients': (bytes) => refused(`"to":${list('{}', bytes)}`),
  'a list of lists': (bytes) => refused(`"cc":${list('[]', bytes)}`),
  'nested lists': (bytes) => refused(`"to":${filled('[', bytes / 2)}${filled(']', bytes / 2)}`),
  'nested objects': (bytes) => refused(`"to":${filled('{"a":', bytes)}`),
  'tags without end': (bytes) => refused(`"tags":${list('"a b"', bytes)},${MAIL}`),
  'files without end': (bytes) => refused(`"attachments":${list('7', bytes)},${MAIL}`),
  'fields nobody knows': (bytes) =>
    refused(Array.from({ length: Math.ceil(bytes / 12) }, (_, index) => `"f${index}":1`).join()),
  'headers without end': (bytes) =>
    refused(
      `"headers":{${Array.from({ length: Math.ceil(bytes / 16) }, (_, index) => `"x-${index}":"v"`).join()}}`,
    ),
  'one field again and again': (bytes) => refused(filled('"a":1,', bytes) + MAIL),
  'a name of a field without end': (bytes) => refused(`${quoted(filled('n', bytes))}:1`),
  'escapes without end': (bytes) =>
    refused(`"html":"${filled('\\u0061', bytes)}","to":"a@b.cc","subject":"s"`),
  'quotes in a text': (bytes) => refused(`"html":"${filled('\\"', bytes)}","to":"a@b.cc","subject":"s"`),
  'backslashes in a text': (bytes) =>
    refused(`"html":"${filled('\\\\', bytes)}","to":"a@b.cc","subject":"s"`),
  'content ids in the html': (bytes) => html("'cid:", bytes),
  'elements that never close': (bytes) => html('<a>', bytes),
  'content ids that are badly encoded': (bytes) =>
    html('<img src=cid:%ff><img src=cid:%z><p style=b:url(cid:%)>', bytes),
  'pictures without end': (bytes) => html('<img src=cid:b>', bytes),
  'an attribute without end': (bytes) => html('&amp;a', bytes, '<img src="'),
  'comments for Outlook': (bytes) => html('<!--[if mso]><i style=a><![endif]-->', bytes),
  'comments that never close': (bytes) => html('<!--[if mso]', bytes),
  'styles that never close': (bytes) => html('url(/*', bytes, '<style>'),
  'blanks in a style': (bytes) => html(' ', bytes, '<i style="url('),
  'strings in a style': (bytes) => html("'\\", bytes, '<i style="url('),
  'candidates without end': (bytes) => html('a:,', bytes, '<img srcset="'),
  'line breaks in base64': (bytes) =>
    refused(`"attachments":[{"filename":"a","content":"${filled('Q\\n', bytes)}"}],${MAIL}`),
  'escaped slashes in base64': (bytes) =>
    refused(`"attachments":[{"filename":"a","content":"${filled('A\\/', bytes)}"}],${MAIL}`),
  'escapes of base64 with one that is none': (bytes) =>
    refused(`"attachments":[{"filename":"a","content":"${filled('\\u002B', bytes)} "}],${MAIL}`),
  'base64 that never ends': (bytes) => `{"attachments":[{"content":"${filled('AAAA', bytes)}`,
  'texts of base64 for recipients': (bytes) => refused(`"to":${list(quoted(filled('AAAA', 65_536)), bytes)}`),
  'a list of ones beside long base64': (bytes) =>
    refused(`"a":${list('1', bytes)},"attachments":[{"content":"${filled('AAAA', 65_536)}"}]`),
  'zeros in a row beside long base64': (bytes) =>
    refused(`"a":"${filled('\\u0000', bytes)}","attachments":[{"content":"${filled('AAAA', 65_536)}"}]`),
  'a message of line ends': (bytes) => message('\n', bytes),
  'a message of dashes': (bytes) => message('--\n', bytes, 'Content-Type: multipart/mixed; boundary=b\n'),
  'a message of parts': (bytes) =>
    message(`--b\n${filled('a: b\n', 2500)}\n`, bytes, 'Content-Type: multipart/mixed; boundary=b\n'),
  'a message that is all header': (bytes) => message('a', 1, filled('a:\n', bytes * 0.7)),
  'recipients in a message': (bytes) => message('a', 1, `Cc: ${filled('(\n ', Math.min(bytes, 200_000))}\n`),
  'a calendar of lines': (bytes) =>
    refused(
      `"calendar":{"method":"REQUEST","ics":${quoted(`BEGIN:VCALENDAR\n${filled('A:\n', Math.min(bytes, 700_000))}`)}},${MAIL}`,
    ),
  'references without end': (bytes) => refused(`"references":${quoted(filled('<a@b.cc>', bytes))},${MAIL}`),
  'JSON that is cut off': (bytes) => ordinary(bytes).slice(0, -20),
  'a number without end': (bytes) => refused(`"to":${filled('1', bytes)}`),
  'blanks without end': (bytes) => `${filled(' ', bytes)}{`,
  'no JSON at all': (bytes) => filled('",":{[', bytes),
};
