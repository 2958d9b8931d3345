import { html, type Part } from './html.ts';
import type { Page } from './layout.ts';
import { field, pathOf, type View } from './view.ts';
import type { OpsWords } from './words.ts';

export type WhySignedOut = keyof OpsWords['signIn']['why'];

const alert = (text: string): Part => html`<p class="note warning" role="alert">${text}</p>`;

/** The form for the master key. `name` is what was written before, `next` the page to go to. */
export const signInPage = (
  view: View,
  { why, name, next }: { readonly why?: WhySignedOut; readonly name?: string; readonly next: string },
): Page => {
  const { signIn } = view.words;
  return {
    title: signIn.title,
    content: html`<p class="lead">${signIn.intro}</p>
${why !== undefined && alert(signIn.why[why])}
<form method="post" action="${pathOf(view, 'session')}" class="card stack narrow">
<input type="hidden" name="next" value="${next}">
${field('name', signIn.name, { help: signIn.nameHelp, isRequired: true, maxlength: 100, autocomplete: 'name', ...(name === undefined ? {} : { value: name }), hasFault: why === 'name' })}
${field('key', signIn.key, { type: 'password', help: signIn.keyHelp, isRequired: true, maxlength: 500, hasFault: why === 'wrong' })}
<button>${signIn.submit}</button>
</form>`,
  };
};

/** The way to Entra, which App Service goes with the browser. */
export const entraPage = (
  view: View,
  { why, next }: { readonly why?: WhySignedOut; readonly next: string },
): Page => {
  const { signIn } = view.words;
  return {
    title: signIn.title,
    content: html`<p class="lead">${signIn.intro} ${signIn.entraIntro}</p>
${why !== undefined && alert(signIn.why[why])}
<p><a class="button" href="/.auth/login/aad?post_login_redirect_uri=${encodeURIComponent(next)}">${signIn.withEntra}</a></p>`,
  };
};

/** For an account without a role: what an administrator does. */
export const noRolePage = (
  view: View,
  name: string,
  roles: readonly [read: string, operate: string],
): Page => {
  const { signIn, signOut } = view.words;
  return {
    title: signIn.noRole,
    content: html`${alert(signIn.noRoleHelp(name, ...roles))}
<p><a class="button" href="/.auth/logout?post_logout_redirect_uri=${encodeURIComponent(view.base)}">${signOut}</a></p>`,
  };
};

/** Where the settings want Entra, and the platform signs nobody in. */
export const notSetUpPage = ({ words: { signIn } }: View): Page => ({
  title: signIn.notSetUp,
  content: alert(signIn.notSetUpHelp),
});
