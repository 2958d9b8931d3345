import { type Html, html } from './html.ts';
import type { View } from './view.ts';

/** The buttons replay and close, with the note that a close needs. */
export const decisionFields = ({ words }: View, canReplay: boolean): Html => html`${
  canReplay &&
  html`<div class="choice"><button name="action" value="replay">${words.mail.replay}</button><p class="help">${words.mail.replayHelp}</p></div>`
}
<div class="field"><label for="note">${words.mail.note}</label><input id="note" name="note" maxlength="500" dir="auto" autocomplete="off" aria-describedby="note-help"><p class="help" id="note-help">${words.mail.noteHelp}</p></div>
<div class="choice"><button name="action" value="close" class="secondary">${words.mail.close}</button><p class="help">${words.mail.closeHelp}</p></div>`;
