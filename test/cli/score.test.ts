import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { makeFolder } from '../make-folder.js';
import { sharedData } from '../shared-data.js';
import { runCli } from './run-cli.js';

const published = sharedData === null ? null : join(sharedData, 'labels/published-predictions.csv');

test('score prints the published numbers to six decimals', async (t) => {
  if (published === null) {
    t.log('SKIPPED: the shared data is absent');
    t.pass();
    return;
  }
  const { stdout, stderr, exitCode } = await runCli(['score', '--predictions', published]);
  t.is(stderr, '');
  t.is(exitCode, 0);
  // From the data's README: scikit-learn 1.2 at threshold 0.5.
  const expected: readonly (readonly [RegExp, string])[] = [
    [/^binary accuracy +(\S+)/m, '0.979903'],
    [/^exact match +(\S+)/m, '0.627119'],
    [/^micro F1 +(\S+)/m, '0.810069'],
    [/^macro F1, all labels +(\S+)/m, '0.741303'],
    [/^macro F1, labels present +(\S+)/m, '0.768759'],
    [/^macro AUROC, labels present +(\S+)/m, '0.983205'],
    [/^macro average precision, labels present +(\S+)/m, '0.902941'],
    [/^mean binary cross-entropy +(\S+)/m, '0.054057'],
  ];
  for (const [pattern, value] of expected) t.is(pattern.exec(stdout)?.[1], value, String(pattern));
});

test('score --json is one JSON object', async (t) => {
  const folder = await makeFolder(t);
  const file = join(folder, 'predictions.csv');
  await writeFile(file, 'Id,Target,p0,p1\na,0,0.9,0.2\nb,1,0.6,0.7\n');
  const { stdout, exitCode } = await runCli(['score', '--predictions', file, '--json']);
  t.is(exitCode, 0);
  const report = JSON.parse(stdout);
  t.is(report.frameCount, 2);
  t.is(report.binaryAccuracy, 0.75);
  t.is(report.exactMatch, 0.5);
});

test('score tells in one line what is wrong with a file', async (t) => {
  const { stdout, stderr, exitCode } = await runCli(['score', '--predictions', 'nothing.csv']);
  t.is(exitCode, 1);
  t.is(stdout, '');
  t.regex(stderr, /^cytostream: [^\n]*nothing\.csv[^\n]*\n$/);
});
