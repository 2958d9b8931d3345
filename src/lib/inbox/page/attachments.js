import { element, icon } from './elements.js';
import { fileLink, showImage } from './inbox-access.js';
import { count, size } from './wording.js';

/** Pixels alone: an SVG is a document with code of its own. */
const PREVIEWED = /^image\/(?:png|jpeg|gif|webp|avif|bmp)$/;
const LARGEST_PREVIEW_BYTES = 10_000_000;

/** The files of an email, those of its HTML last. */
export const attachments = ({ ID, Attachments, Inline }) => {
  const files = [...Attachments, ...Inline.map((part) => ({ ...part, isInline: true }))];
  if (files.length === 0) return null;
  return element(
    'section',
    { class: 'attachments', 'aria-label': count(files.length, 'file') },
    element('ul', {}, ...files.map((file) => element('li', {}, ...attachment(ID, file)))),
  );
};

const attachment = (mailId, { PartID, FileName, ContentType, Size, isInline }) => {
  const source = `api/v1/message/${encodeURIComponent(mailId)}/part/${encodeURIComponent(PartID)}`;
  const name = FileName || 'attachment';
  const badge = kindBadge(FileName, ContentType);
  return [
    PREVIEWED.test(ContentType) && Size <= LARGEST_PREVIEW_BYTES ? thumbnail(source, name, badge) : badge,
    fileLink(
      element(
        'a',
        { download: name, title: `${name} (${ContentType})` },
        element('span', { class: 'file-name' }, name),
        element(
          'span',
          { class: 'file-facts' },
          [size(Size), ContentType, isInline && 'in the HTML'].filter(Boolean).join(' · '),
        ),
        icon('download'),
      ),
      source,
      name,
    ),
  ];
};

/** If the browser cannot read it as an image, it is a file like the others. */
const thumbnail = (source, name, badge) => {
  const image = element('img', {
    alt: '',
    loading: 'lazy',
    on: { error: () => button.replaceWith(badge) },
  });
  const button = element(
    'button',
    {
      type: 'button',
      class: 'thumbnail',
      'aria-label': `Show ${name}`,
      on: { click: () => show(source, name) },
    },
    image,
  );
  showImage(image, source);
  return button;
};

const show = (source, name) => {
  const image = element('img', { alt: name });
  showImage(image, source);
  document.getElementById('picture-content').replaceChildren(element('h2', {}, name), image);
  document.getElementById('picture').showModal();
};

const kindBadge = (fileName, contentType) => {
  const ending = /\.([A-Za-z0-9]{1,4})$/.exec(fileName)?.[1] ?? contentType.split('/')[1]?.slice(0, 4) ?? '';
  return element(
    'span',
    { class: 'file-kind', 'data-kind': kindOf(contentType, ending), 'aria-hidden': 'true' },
    ending.toUpperCase(),
  );
};

const kindOf = (contentType, ending) => {
  if (contentType === 'application/pdf') return 'pdf';
  if (contentType.startsWith('image/')) return 'image';
  if (/^(?:xlsx?|csv|ods)$/i.test(ending)) return 'sheet';
  if (/^(?:docx?|odt|rtf|txt|md)$/i.test(ending)) return 'document';
  if (/^(?:zip|7z|gz|tar|rar)$/i.test(ending)) return 'archive';
  return 'other';
};
