import { html } from './html.ts';
import type { Page } from './layout.ts';
import { field, form, pathOf, type View } from './view.ts';

/** The form for a test email. `key`: the same form sent twice is one email. */
export const testPage = (view: View, key: string): Page => {
  const { words } = view;
  return {
    title: words.pages.test,
    page: 'test',
    content: html`<p class="lead">${words.test.intro}</p>${form(
      view,
      pathOf(view, 'test'),
      html`<input type="hidden" name="key" value="${key}">
${field('to', words.test.to, { type: 'email', isRequired: true, maxlength: 320 })}
${field('from', words.test.from, { type: 'email', maxlength: 320, help: words.test.fromHelp })}
<button>${words.test.submit}</button>`,
      'card stack narrow',
    )}`,
  };
};
