import type { Reason } from '../errors.ts';
import { html } from './html.ts';
import type { Page } from './layout.ts';
import { reasonBox } from './reason.ts';
import type { View } from './view.ts';

/** Why something could not be done or shown, and the way on. */
export const errorPage = (view: View, reason: Reason, invocation: string): Page => {
  const { words } = view;
  return {
    title: words.error.title,
    content: html`<div role="alert">${reasonBox(view, reason)}</div>
<p class="soft">${words.error.invocation} <code>${invocation}</code></p>
<p><a class="button secondary" href="${view.base}">${words.backToOverview}</a></p>`,
  };
};
