// Writes the README's table of settings from the configuration itself. With --check it
// only says whether the table is up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { configFields } from '../dist/src/config.js';

const path = resolve(import.meta.dirname, '../README.md');
const readme = readFileSync(path, 'utf8');
const show = (value) => {
  if (Array.isArray(value)) return value.map(show).join(',');
  const text = String(value).replace(process.cwd(), '.');
  return text === '.' ? 'the working folder' : text.replace(/^\.\//, '');
};
const rows = configFields.map(
  ({ env, description, default: fallback }) =>
    `| \`${env}\` | ${show(fallback) || '–'} | ${description} |`,
);
const table = ['| variable | default | what it does |', '| --- | --- | --- |', ...rows].join('\n');
const next = readme.replace(
  /(<!-- configuration: begin[^>]*-->\n)[\s\S]*?(<!-- configuration: end -->)/,
  `$1${table}\n$2`,
);
if (process.argv.includes('--check')) {
  if (next !== readme) {
    console.error('the README\'s table of settings is old: run "npm run readme"');
    process.exit(1);
  }
} else if (next !== readme) writeFileSync(path, next);
