/*
 * How the page reaches its inbox. On this machine nothing is asked for. A relay asks for its master key in a header, never in an address,
 * which a browser keeps: so what would be the address of a file is fetched, and shown from memory.
 */

const KEY = 'graph-mail-relay-master-key';
const ROOT = new URL('.', import.meta.url);

/** The page of a relay that captures; else that of the local cloud. */
export const isRelay = document.documentElement.dataset.inbox === 'relay';

/** Where the page asks for what is not of Mailpit. */
export const VIEWS = isRelay ? 'api/mail' : 'mail';

/** Where the page asks what the relay knows: the relay itself, or the inbox beside it, which has the keys. */
export const DESK = isRelay ? '../mail' : 'relay/mail';

/** The relay did not take the key. */
export class KeyRefused extends Error {}

export const hasKey = () => !isRelay || sessionStorage.getItem(KEY) !== null;
export const keepKey = (key) => sessionStorage.setItem(KEY, key);
export const forgetKey = () => sessionStorage.removeItem(KEY);

/** The address of a call, below the page. */
const addressOf = (path) => new URL(path, ROOT).href;

/** Asks the inbox, with the key where there is one. Throws KeyRefused, and an Error with what the inbox says. */
export const ask = async (path, { headers, ...options } = {}) => {
  const key = isRelay ? { 'x-functions-key': sessionStorage.getItem(KEY) ?? '' } : {};
  const answer = await fetch(addressOf(path), { ...options, headers: { ...headers, ...key } });
  if (answer.ok) return answer;
  if (isRelay && (answer.status === 401 || answer.status === 403)) throw new KeyRefused();
  const { Error: words, title, detail } = await answer.json().catch(() => ({}));
  const failure = new Error(
    words ?? ([title, detail].filter(Boolean).join(' ') || `The inbox returned ${answer.status}.`),
  );
  failure.status = answer.status;
  throw failure;
};

export const askJson = async (path) => (await ask(path)).json();

/** A link to a file, which it saves under this name. */
export const fileLink = (link, path, name) => {
  if (!isRelay) {
    link.href = addressOf(path);
    return link;
  }
  link.href = '#';
  link.addEventListener('click', async (event) => {
    event.preventDefault();
    try {
      const bytes = await (await ask(path)).arrayBuffer();
      // Of no type that a browser opens, whatever the email says.
      save(new Blob([bytes], { type: 'application/octet-stream' }), name);
    } catch (error) {
      tell(link, error);
    }
  });
  return link;
};

const save = (blob, name) => {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has it by then; so long it can still be asked for.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
};

const tell = (link, error) => {
  const words = error instanceof KeyRefused ? 'The relay does not accept the key any more.' : error.message;
  link.title = words;
  document.getElementById('announcer').textContent = words;
  let note = link.parentElement.querySelector('.refused');
  if (note === null) {
    note = document.createElement('span');
    note.className = 'refused';
    link.after(note);
  }
  note.textContent = words;
};

/** Shows a picture of the inbox in an image. */
export const showImage = async (image, path) => {
  if (!isRelay) {
    image.src = addressOf(path);
    return;
  }
  try {
    const url = URL.createObjectURL(await (await ask(path)).blob());
    image.addEventListener('load', () => URL.revokeObjectURL(url), { once: true });
    image.src = url;
  } catch {
    image.dispatchEvent(new Event('error'));
  }
};

/** Shows an email in a frame: by its address, or, where that needs a key, as a text with a policy of its own. */
export const showFrame = async (frame, path) => {
  if (!isRelay) {
    frame.src = addressOf(path);
    return;
  }
  try {
    frame.srcdoc = await (await ask(path)).text();
  } catch (error) {
    frame.replaceWith(document.createTextNode(`The email cannot be shown. ${error.message}`));
  }
};
