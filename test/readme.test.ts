import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { packageRoot } from '../src/package-root.js';

const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8');

test('the README opens with the demo and the tests', (t) => {
  const commands = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text]) => text?.trim());
  t.deepEqual(commands.slice(0, 2), ['npm ci && npm run demo', 'npm ci && npm test']);
});

test('settings and figures stand as the configuration and the measurements have them', (t) => {
  t.notThrows(() =>
    execFileSync(process.execPath, ['scripts/readme.mjs', '--check'], { cwd: packageRoot }),
  );
});

test('no block of figures shows a binary accuracy without what always "no" has', (t) => {
  const measured = readFileSync(join(packageRoot, 'docs/measured.md'), 'utf8');
  const blocks = [...`${readme}${measured}`.matchAll(/<!-- (.*?): begin[^>]*-->([\s\S]*?)<!-- /g)];
  const withAccuracy = blocks.filter(([, , text]) => text?.includes('accuracy'));
  t.deepEqual(
    withAccuracy.map(([, name]) => name),
    ['seed on cells in short', 'seed on cells'],
  );
  for (const [, name, text] of withAccuracy) t.regex(text ?? '', /always "no"/, name);
});

test('the README gives a reason for every package that is installed', (t) => {
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(join(packageRoot, 'package.json'), 'utf8'),
  ) as { dependencies: Record<string, string>; devDependencies: Record<string, string> };
  const names = [...Object.keys(dependencies), ...Object.keys(devDependencies)];
  const missing = names.filter(
    (name) => !name.startsWith('@types/') && !readme.includes(`\`${name}\``),
  );
  t.deepEqual(missing, []);
});

/** Headings as GitHub names them in a link. */
const anchorsOf = (markdown: string) =>
  [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/ /g, '-'),
  );

test('every link of the documents leads to a file, and to a heading, that is there', (t) => {
  const folders = ['.', 'docs', 'docs/decisions', 'clients', 'deploy'];
  const documents = folders.flatMap((folder) =>
    readdirSync(join(packageRoot, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  );
  const dead = documents.flatMap((document) => {
    const text = readFileSync(join(packageRoot, document), 'utf8');
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    return links
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [file = '', heading] = link.split('#');
        const path = join(packageRoot, file === '' ? document : join(dirname(document), file));
        if (!existsSync(path)) return true;
        return heading !== undefined && !anchorsOf(readFileSync(path, 'utf8')).includes(heading);
      })
      .map((link) => `${document}: ${link}`);
  });
  t.deepEqual(dead, []);
});
