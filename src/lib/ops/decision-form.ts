import { type Html, html, type Part } from './html.ts';
import type { View } from './view.ts';

type Decision = {
  readonly canReplay: boolean;
  /** A replay may send it twice: what to know first. */
  readonly doubt?: string | undefined;
};

/** The buttons replay and close, with the note that a close needs. Where it may have been sent, replay is not the one that invites. */
export const decisionFields = ({ words }: View, { canReplay, doubt }: Decision): Html => {
  const replay: Part =
    canReplay &&
    html`<div class="choice"><button name="action" value="replay"${doubt !== undefined && html` class="secondary" aria-describedby="doubt"`}>${words.mail.replay}</button><p class="help">${words.mail.replayHelp}</p></div>`;
  return html`${doubt !== undefined && html`<p class="doubt" id="doubt">${doubt}</p>`}${replay}
<div class="field"><label for="note">${words.mail.note}</label><input id="note" name="note" maxlength="500" dir="auto" autocomplete="off" aria-describedby="note-help"><p class="help" id="note-help">${words.mail.noteHelp}</p></div>
<div class="choice"><button name="action" value="close" class="secondary">${words.mail.close}</button><p class="help">${words.mail.closeHelp}</p></div>`;
};
