import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const LICENCE_FILE = /^(licen[cs]e|copying|notice|copyrightnotice)(\.(md|txt))?$/i;
const PACKAGE_FOLDER = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;

type PackageJson = {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name?: string };
  readonly repository?: { readonly url?: string };
};

/** The folders of the packages that files come from, in a fixed order. */
const packageFolders = (files: readonly string[]): readonly string[] =>
  [...new Set(files.flatMap((file) => PACKAGE_FOLDER.exec(file)?.[0] ?? []))].sort();

/** The licences of the packages that files come from: they ask to be part of every copy. */
export const toNotices = async (root: string, files: readonly string[]): Promise<string> => {
  const notices = await Promise.all(packageFolders(files).map((folder) => toNotice(root, folder)));
  return `The relay contains code of these packages.\n\n${notices.join('\n')}`;
};

const toNotice = async (root: string, folder: string): Promise<string> => {
  const packageJson: PackageJson = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));
  const { name, version } = packageJson;
  const license = chosenLicence(packageJson);
  const source = license === 'MPL-2.0' ? sourceOf(packageJson) : '';
  const found = (await readdir(join(root, folder))).filter((file) => LICENCE_FILE.test(file)).sort();
  const texts = await Promise.all(found.map((file) => readFile(join(root, folder, file), 'utf8')));
  const text = texts.length > 0 ? texts.join('\n') : await textOfMit(root, packageJson);
  const clean = text.replaceAll('\r\n', '\n').trim();
  return `${'-'.repeat(80)}\n${name} ${version} (${license})\n${source}\n${clean}\n`;
};

/** Of a package that offers several licences, the first is taken. */
const chosenLicence = ({ license }: PackageJson): string | undefined =>
  /^\((\S+) OR .+\)$/.exec(license ?? '')?.[1] ?? license;

/** The Mozilla licence (3.2) asks to say where the source is that the copy was made of. */
const sourceOf = ({ name, version, repository }: PackageJson): string =>
  `\nUnchanged, from the package ${name} ${version} of npm. Its source: ${repository?.url?.replace(/^git\+/, '')}\n`;

/** Some packages name the MIT licence without its text. It is the one of the relay, whose text begins below its holder. */
const textOfMit = async (root: string, { name, license, author }: PackageJson): Promise<string> => {
  if (license !== 'MIT')
    throw new Error(
      `Expected a licence file in the package ${name}, found none and "license": ${JSON.stringify(license)}. ` +
        'Add the text of its licence to scripts/third-party-notices.ts, or do without the package.',
    );
  const own = await readFile(join(root, 'LICENSE'), 'utf8');
  const holder = (typeof author === 'string' ? author : author?.name) ?? `the authors of ${name}`;
  return `MIT License\n\nCopyright (c) ${holder}\n\n${own.slice(own.indexOf('Permission is hereby granted'))}`;
};
