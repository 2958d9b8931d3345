import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { referredContentIds } from '../../../src/lib/mail/content-ids.ts';

const refers = (html: string, cid: string) => referredContentIds(html, new Set([cid])).has(cid);

describe('what mail clients show refers to a content id', () => {
  test.each([
    ['<img src="cid:logo">', 'logo'],
    ["<img src='cid:logo'>", 'logo'],
    ['<img src=cid:logo>', 'logo'],
    ['<IMG\nALT="x"\nSRC = cid:logo >', 'logo'],
    ['<img src="cid:logo"/>', 'logo'],
    ['<img src=" CID:Logo ">', 'logo'],
    ['<img src="cid:logo%40contoso">', 'logo@contoso'],
    ['<img src="cid:logo@contoso">', 'logo@contoso'],
    ['<img src="cid:a&amp;b&#64;c">', 'a&b@c'],
    ['<img src="&#99;id:logo">', 'logo'],
    ['<img src="cid:&#x9673;">', '陳'],
    ['<img src="cid:%F0%9F%98%80">', '😀'],
    ['<img src="cid:100%">', '100%'],
    ['<img src="cid:it\'s(1)">', "it's(1)"],
    ['<img src="cid:a>b">', 'a>b'],
    ['<img srcset="cid:logo 1x, cid:large 2x">', 'large'],
    ['<img srcset="cid:logo, https://contoso.example/x 2x">', 'logo'],
    ['<picture><source srcset="cid:logo"></picture>', 'logo'],
    ['<input type="IMAGE" src="cid:logo">', 'logo'],
    ['<video poster="cid:logo"></video>', 'logo'],
    ['<video src="cid:film">', 'film'],
    ['<object data="cid:logo"></object>', 'logo'],
    ['<svg><image href="cid:logo"/></svg>', 'logo'],
    ['<svg><image xlink:href="cid:logo"/></svg>', 'logo'],
    ['<body background="cid:logo">', 'logo'],
    ['<td background="cid:logo">', 'logo'],
    ['<p style="background: url(cid:logo)">', 'logo'],
    ['<p style="background: URL( \'cid:logo\' )">', 'logo'],
    ['<p style="background: url(&quot;cid:logo&quot;)">', 'logo'],
    ['<style>td { background: url("cid:logo") }</style>', 'logo'],
    ['<style><!-- td { background: url(cid:logo) } --></style>', 'logo'],
    ['<v:fill type="frame" src="cid:logo" />', 'logo'],
    ['<!--[if gte mso 9]><v:rect><v:fill src="cid:logo"/></v:rect><![endif]-->', 'logo'],
    ['<!--[if (mso)|(IE)]><v:imagedata src="cid:logo"/><![endif]-->', 'logo'],
    ['<!--[if !mso]><!--><img src="cid:logo"><!--<![endif]-->', 'logo'],
    ['<template><b></template><img src="cid:logo">', 'logo'],
    ['<!-- a > b --><img src="cid:logo">', 'logo'],
  ])('%s shows %s', (html, cid) => {
    expect(refers(html, cid)).toBe(true);
  });
});

describe('a content id that is only mentioned is not shown', () => {
  test.each([
    ['<p>cid:logo</p>'],
    ['<img src="cid:logo2">'],
    ['<img src="https://contoso.example/cid:logo">'],
    [''],
    ['<!-- cid:logo -->'],
    ['<!-- <img src="cid:logo"> -->'],
    ['<!--[if !mso]><img src="cid:logo"><![endif]-->'],
    ['<!--[if IE]><img src="cid:logo"><![endif]-->'],
    ['<!--[if mso]><!-- <img src="cid:logo"><![endif]-->'],
    ['<img alt="cid:logo">'],
    ['<img data-src="cid:logo">'],
    ['<img srcx="cid:logo">'],
    ['<img src="x.png" src="cid:logo">'],
    ['<img title=\'<img src="cid:logo">\'>'],
    ['<a href="cid:logo">logo</a>'],
    ['<link rel="icon" href="cid:logo">'],
    ['<iframe src="cid:logo"></iframe>'],
    ['<input src="cid:logo">'],
    ['<script>const logo = \'<img src="cid:logo">\';</script>'],
    ['<script src="cid:logo"></script>'],
    ['<template><template></template><img src="cid:logo"></template>'],
    ['<title><img src="cid:logo"></title>'],
    ['<textarea><img src="cid:logo"></textarea>'],
    ['<p style="color: cid:logo">'],
    ['<p style="/* url(cid:logo) */">'],
    ['<p style="content: \'url(cid:logo)\'">'],
    ['<style>/* url(cid:logo) */</style>'],
    ['<p>url(cid:logo)</p>'],
    ['&lt;img src="cid:logo"&gt;'],
  ])('%s', (html) => {
    expect(refers(html, 'logo')).toBe(false);
  });
});

describe('whatever stands around it', () => {
  const noise = fc
    .array(
      fc.constantFrom(
        '<p>',
        '</p>',
        '<!-- " -->',
        '<!--[if mso]><b><![endif]-->',
        "<style>a { b: url('c) /* }</style>",
        '<template><b></template>',
        '<a title=">">',
        '&',
        '< ',
        '"',
        '陳',
      ),
    )
    .map((some) => some.join('\n'));

  test('a picture is shown', () => {
    fc.assert(
      fc.property(noise, noise, (before, after) => {
        expect(refers(`${before}<img src="cid:logo">${after}`, 'logo')).toBe(true);
      }),
    );
  });

  test('a picture in what is not shown is not', () => {
    const hidden = fc.constantFrom(
      '<!-- {} -->',
      '<script>{}</script>',
      '<title>{}</title>',
      '<template>{}</template>',
      "<a title='{}'>",
    );
    fc.assert(
      fc.property(noise, hidden, noise, (before, around, after) => {
        expect(refers(before + around.replace('{}', '<img src="cid:logo">') + after, 'logo')).toBe(false);
      }),
    );
  });
});

test('a file behind ten thousand others is told as not shown, so that looking ends', () => {
  const others = (count: number) => '<img src="cid:other">'.repeat(count);
  const shown = (html: string) => [...referredContentIds(html, new Set(['logo']))];
  expect(shown(`${others(9000)}<img src="cid:logo">`)).toEqual(['logo']);
  expect(shown(`${others(10_000)}<img src="cid:logo">`)).toEqual([]);
});
