import { Tokenizer } from 'htmlparser2';
import { cssUrls } from './css-urls.ts';

/** The attributes by which mail clients fetch what they show, and the elements that show it; undefined is any. */
const SHOWING: Readonly<Record<string, readonly string[] | undefined>> = {
  src: ['img', 'image', 'input', 'video', 'audio', 'source', 'embed', 'v:image', 'v:imagedata', 'v:fill'],
  srcset: ['img', 'source'],
  poster: ['video'],
  data: ['object'],
  href: ['image'],
  'xlink:href': ['image'],
  background: undefined,
  style: undefined,
};

/** What a comment holds that is content to Outlook, where VML stands, and to no other client. */
const CONDITIONAL = /^\[if\s([^\]]{0,200})\]>/i;
/** Word's HTML, which Outlook shows, or VML. A condition with a `!` is for others, and they do not look into comments. */
const isOutlooks = (comment: string): boolean => {
  const condition = CONDITIONAL.exec(comment)?.[1] ?? '';
  return /\b(?:mso|vml)\b/i.test(condition) && !condition.includes('!');
};

/** Newsletters for Outlook have some hundreds; in further ones nothing counts as shown. */
const MOST_COMMENTS = 2000;

/**
 * Calls with every URL by which an html, as mail clients show it, has a picture, sound or film in it. Links, scripts,
 * comments and templates show nothing. In one pass, and one more over what only Outlook shows, until `tell` says that it has
 * heard enough by giving false.
 */
export const eachShownUrl = (html: string, tell: (url: string) => boolean): void => {
  let goesOn = true;
  let comments = 0;
  const listen = (url: string): boolean => {
    goesOn &&= tell(url);
    return goesOn;
  };
  const readComment = openReader(listen, () => true);
  const read = openReader(listen, (comment) => {
    if (comments < MOST_COMMENTS && isOutlooks(comment)) {
      comments += 1;
      readComment(comment);
    }
    return goesOn;
  });
  read(html);
};

const openReader = (listen: (url: string) => boolean, onComment: (text: string) => boolean) => {
  let html = '';
  /** Templates in templates: their content is kept, and not shown. */
  let templates = 0;
  let element = '';
  let inStyle = false;
  let name = '';
  let value: string | undefined;
  /** Of several attributes of one name the first counts (HTML, 13.2.5.33). */
  const attributes = new Map<string, string>();
  const tell = (url: string): void => {
    if (!listen(url)) tokenizer.pause();
  };

  const endOfTag = (): void => {
    if (element === 'template') templates += 1;
    inStyle = element === 'style';
    if (templates === 0 && !(element === 'input' && attributes.get('type')?.toLowerCase() !== 'image'))
      for (const [attribute, written] of attributes) tellUrls(attribute, written, tell);
    attributes.clear();
  };

  const tokenizer = new Tokenizer(
    {},
    {
      onopentagname: (start, end) => {
        element = html.slice(start, end).toLowerCase();
      },
      onattribname: (start, end) => {
        name = html.slice(start, end).toLowerCase();
        value = !attributes.has(name) && isAsked(name, element) ? '' : undefined;
      },
      onattribdata: (start, end) => {
        if (value !== undefined) value += html.slice(start, end);
      },
      onattribentity: (codePoint) => {
        if (value !== undefined) value += String.fromCodePoint(codePoint);
      },
      onattribend: () => {
        if (value !== undefined) attributes.set(name, value);
        value = undefined;
      },
      onopentagend: endOfTag,
      onselfclosingtag: endOfTag,
      onclosetag: (start, end) => {
        inStyle = false;
        if (templates > 0 && html.slice(start, end).toLowerCase() === 'template') templates -= 1;
      },
      ontext: (start, end) => {
        if (inStyle && templates === 0) for (const url of cssUrls(html.slice(start, end))) tell(url);
      },
      oncomment: (start, end, endOffset) => {
        if (templates === 0 && !onComment(html.slice(start, end - endOffset))) tokenizer.pause();
      },
      ontextentity: () => {},
      oncdata: () => {},
      ondeclaration: () => {},
      onprocessinginstruction: () => {},
      onend: () => {},
    },
  );
  return (text: string): void => {
    html = text;
    templates = 0;
    inStyle = false;
    tokenizer.reset();
    tokenizer.write(text);
    tokenizer.end();
  };
};

const isAsked = (attribute: string, element: string): boolean =>
  (attribute === 'type' && element === 'input') ||
  (Object.hasOwn(SHOWING, attribute) && (SHOWING[attribute]?.includes(element) ?? true));

const tellUrls = (attribute: string, written: string, tell: (url: string) => void): void => {
  if (attribute === 'style') for (const url of cssUrls(written)) tell(url);
  else if (attribute === 'srcset') for (const [, url] of written.matchAll(CANDIDATE)) tell(url ?? '');
  else tell(written);
};

/** A URL of `srcset`: up to white space, and without the comma that ends a candidate. */
const CANDIDATE = /(?<=^|[\s,])([a-z]+:\S*[^\s,])/gi;
