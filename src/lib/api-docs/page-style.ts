import { createHash } from 'node:crypto';

/** The colours are those of the inbox page. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#f4f1ea, #14161a);
  --sheet: light-dark(#fffdf9, #1b1e23);
  --sunken: light-dark(#f7f4ed, #16191d);
  --ink: light-dark(#1d2126, #e9e6df);
  --ink-soft: light-dark(#565d66, #a3abb5);
  --line: light-dark(#e3ddd0, #2d3239);
  --accent: light-dark(#1f4b99, #8fb4ff);
  --accent-wash: light-dark(#e8eefa, #222c3f);
  --stamp: light-dark(#a8321a, #ff8b66);
  --sans: "Segoe UI Variable Text", "Segoe UI", -apple-system, BlinkMacSystemFont, system-ui, sans-serif;
  --serif: "Iowan Old Style", Charter, "Source Serif 4", Cambria, Georgia, serif;
  --mono: "Cascadia Code", "SF Mono", ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.55 var(--sans); overflow-wrap: break-word; }
a { color: var(--accent); text-underline-offset: 2px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
code, pre { font: 0.92em/1.5 var(--mono); }
h1, h2, h3, h4, p, ul, pre, table, dl, dd { margin: 0; padding: 0; }
h1, h2 { font-family: var(--serif); font-weight: 600; line-height: 1.2; text-wrap: balance; }
h1 { font-size: 2rem; }
h2 { font-size: 1.5rem; margin: 3rem 0 .35rem; }
h3 { font-size: 1.05rem; }
h4 { font-size: .8rem; color: var(--ink-soft); margin: 1.1rem 0 .4rem; font-weight: 600; }
p + p { margin-top: .6rem; }
p { max-width: 72ch; }
.soft { color: var(--ink-soft); }
.skip { position: absolute; left: -100vw; background: var(--sheet); padding: .5rem 1rem; z-index: 1; }
.skip:focus { left: .5rem; top: .5rem; }
.page { display: grid; grid-template-columns: 17rem minmax(0, 1fr); max-width: 78rem; margin: 0 auto; }
nav { position: sticky; top: 0; max-height: 100vh; overflow-y: auto; padding: 2rem 1rem 2rem 1.5rem; font-size: .9rem; align-self: start; }
nav summary { font-weight: 600; }
/* Where there is room, the contents are there without a click. */
@supports selector(::details-content) {
  @media (min-width: 801px) {
    nav summary { display: none; }
    nav details::details-content { content-visibility: visible; display: block; height: auto; }
  }
}
nav b { display: block; margin: 1.1rem 0 .2rem; font-weight: 600; }
nav b:first-child { margin-top: 0; }
nav ul { list-style: none; }
nav li a { display: block; padding: .12rem 0; color: var(--ink-soft); text-decoration: none; }
nav li a:hover { color: var(--accent); text-decoration: underline; }
main { padding: 2rem 1.5rem 6rem; min-width: 0; }
header p { margin-top: .8rem; }
article { background: var(--sheet); border: 1px solid var(--line); border-radius: 6px; padding: 1.1rem 1.25rem 1.25rem; margin-top: 1rem; }
article > p { margin-top: .5rem; }
.call { display: flex; flex-wrap: wrap; gap: .25rem .6rem; align-items: baseline; margin-top: .35rem; font: .95em/1.5 var(--mono); }
.method { font-weight: 700; text-transform: uppercase; color: var(--accent); }
.method.delete { color: var(--stamp); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .93rem; }
th { text-align: left; font-weight: 600; font-size: .8rem; color: var(--ink-soft); }
th, td { padding: .4rem .9rem .4rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
tr:last-child td { border-bottom: 0; }
td:first-child { white-space: nowrap; }
td:last-child { min-width: 16rem; }
.required { color: var(--stamp); font-size: .8rem; }
details { margin-top: .6rem; }
summary { cursor: pointer; color: var(--accent); width: fit-content; }
pre { background: var(--sunken); border: 1px solid var(--line); border-radius: 4px; padding: .8rem 1rem; margin-top: .5rem; overflow-x: auto; max-height: 28rem; }
.codes { columns: 16rem; list-style: none; margin-top: .4rem; }
:target { scroll-margin-top: 1rem; }
article:target, tr:target { background: var(--accent-wash); }
@media (max-width: 800px) {
  .page { display: block; }
  nav { position: static; max-height: none; padding: 1rem 1rem 0; }
  main { padding: 1rem 1rem 4rem; }
  article { padding: .9rem 1rem 1rem; }
  h1 { font-size: 1.6rem; }
  /* A row becomes a paragraph: four columns do not fit. */
  table, tbody, tr, td { display: block; }
  thead { display: none; }
  tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  tr:last-child { border-bottom: 0; }
  td, td:first-child { border: 0; padding: 0; white-space: normal; }
}
@media print { nav { display: none; } .page { display: block; } }
`;

/** Of a page without scripts, whose one style is in it. */
export const PAGE_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
