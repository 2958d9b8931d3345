import { type Fault, fileNameFault } from './text-rules.ts';

/** Azure Storage: naming and referencing containers, blobs, and metadata. */
const MAX_BLOB_NAME = 1024;

const invalid = (expected: string): Fault => ({ code: 'FIELD_INVALID', expected });

/**
 * The fault of the name of a blob in the container of attachments. It is a name and never a URL: what could mean another
 * container, another version or another host is refused, although the SDK would escape it.
 */
export const blobNameFault = (name: string): Fault | undefined => {
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(name) || name.startsWith('//'))
    return invalid(
      'the name of a blob in the container mail-attachments, such as 2026/11/report.pdf, not a URL',
    );
  const fault = fileNameFault(name, MAX_BLOB_NAME);
  if (fault !== undefined) return fault;
  if (/[?#\\]/.test(name)) return invalid('the name of a blob without ?, # and backslashes');
  if (/^\/|\/$/.test(name)) return invalid('the name of a blob without a slash at its ends');
  const segments = name.split('/');
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..'))
    return invalid('the name of a blob without empty parts and without . and .. between its slashes');
  // Storage drops the dots (https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata).
  return segments.some((segment) => segment.endsWith('.'))
    ? invalid('the name of a blob without a dot at the end of its parts')
    : undefined;
};

/** The part behind the last slash. */
export const lastPartOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1);
