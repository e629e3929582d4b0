import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import sharp from 'sharp';
import { runCli } from '../cli/run-cli.js';
import { makeFolder } from '../make-folder.js';
import { startServe } from './serve.js';
import { trainSmall } from './trained.js';

/** Every file of a folder with its bytes. */
async function contentOf(folder: string): Promise<readonly (readonly [string, string])[]> {
  const names = (await readdir(folder)).sort();
  return Promise.all(
    names.map(async (name) => [name, (await readFile(join(folder, name))).toString('base64')]),
  ) as Promise<readonly (readonly [string, string])[]>;
}

test('classify --explain writes the same maps in place and over a server', async (t) => {
  t.timeout(240_000);
  const folder = await makeFolder(t);
  const { data, places } = await trainSmall(folder);
  const classify = ['classify', '--data', data, '--model', 'cells'];
  const out = (name: string) => ['--out', join(folder, `${name}.csv`)];

  const words = ['--explain', 'Nucleoli', '25', '--embeddings', '--json'];
  const here = await runCli([...classify, ...places, ...out('here'), ...words]);
  t.is(here.exitCode, 0, here.stderr);
  t.is(JSON.parse(here.stdout).mapCount, 2 * 12);
  const maps = join(folder, 'here-maps');
  const lines = (await readFile(join(maps, 'maps.csv'), 'utf8')).trim().split('\n');
  t.is(lines[0], 'Id,Label,Name,Probability,Peak,File');
  t.is(lines.length, 1 + 2 * 12);
  const [id, label, name, probability, peak, file] = lines[1]?.split(',') ?? [];
  t.deepEqual(
    [id, label, name, file],
    ['sim_000000', '2', 'Nucleoli', 'sim_000000_2_nucleoli.png'],
  );
  t.true(Number(peak) >= 0);
  const predicted = await readFile(join(folder, 'here.csv'), 'utf8');
  t.true(predicted.includes(`,${probability},`), 'the probability is that of the predictions');
  const { width, height, channels } = await sharp(join(maps, file ?? '')).metadata();
  // That of the frames, and not of the model's input or its map.
  t.deepEqual([width, height, channels], [64, 64, 1]);

  const served = await startServe(t, [...places, '--data-roots', folder]);
  const server = ['--server', served.address];
  const there = await runCli([...classify, ...server, ...out('there'), ...words]);
  t.is(there.exitCode, 0, there.stderr);
  t.deepEqual(await contentOf(join(folder, 'there-maps')), await contentOf(maps));
  t.is(await readFile(join(folder, 'there.csv'), 'utf8'), predicted);
  const embedded = await readFile(join(folder, 'here-embeddings.csv'), 'utf8');
  t.is(await readFile(join(folder, 'there-embeddings.csv'), 'utf8'), embedded);
  const [heading, ...embeddings] = embedded.trim().split('\n');
  t.regex(heading ?? '', /^Id,e0,e1,/);
  t.is(embeddings.length, 12);
  const numbers = embeddings[0]?.split(',').slice(1).map(Number) ?? [];
  t.true(numbers.every(Number.isFinite) && numbers.some((number) => number !== 0));

  // Without names: each label that is given, and no other.
  const given = await runCli([...classify, ...server, ...out('given'), '--explain']);
  t.is(given.exitCode, 0, given.stderr);
  const { thresholds } = await served.client.getModel('cells');
  const rows = (await readFile(join(folder, 'given.csv'), 'utf8')).trim().split('\n').slice(1);
  const count = rows
    .map((row) => row.split(',').slice(2).map(Number))
    .flatMap((row) => row.filter((value, at) => value >= (thresholds[at] ?? 1))).length;
  t.regex(given.stdout, new RegExp(`^${count} maps of evidence are in `, 'm'));
  const listed = await readdir(join(folder, 'given-maps'));
  t.is(listed.filter((entry) => entry.endsWith('.png')).length, count);

  const unknown = await runCli([...classify, ...server, ...out('x'), '--explain', 'Nucleolus']);
  t.is(unknown.exitCode, 2);
  t.regex(unknown.stderr, /--explain: expected labels of the model, .* got "Nucleolus"/);

  // A server's report is written here as a page, without frames.
  const report = ['--doubts', '2', '--out', join(folder, 'report')];
  const scored = await runCli([
    'evaluate',
    '--data',
    data,
    '--model',
    'cells',
    ...server,
    ...report,
  ]);
  t.is(scored.exitCode, 0, scored.stderr);
  const page = await readFile(join(folder, 'report', 'report.html'), 'utf8');
  t.regex(page, /Evaluated by 127\.0\.0\.1:\d+, where the frames are/);
  t.notRegex(page, /(?:src|href)="(?!data:)|<script|url\((?!#)/);

  // A model that was made elsewhere is not asked, in place or over a server.
  const { labels, inputSpec } = await served.client.getModel('cells');
  const onnx = await readFile(join(folder, 'models', 'cells', '1', 'model.onnx'));
  await served.client.importModel({ name: 'other', onnx, labels, inputSpec });
  for (const where of [places, server]) {
    const other = ['classify', '--data', data, '--model', 'other@1', '--explain'];
    const refused = await runCli([...other, ...where, ...out('y')]);
    t.is(refused.exitCode, 1);
    t.regex(refused.stderr, /^cytostream: other@1 gives n[^\n]+explanations[^\n]*\n$/);
  }
});
