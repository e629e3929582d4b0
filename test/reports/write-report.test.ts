import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import sharp from 'sharp';
import { DomainError } from '../../src/errors.js';
import { formatReport, type PredictionRow, scoreRows } from '../../src/evaluation/index.js';
import { hpaLabels } from '../../src/label-set.js';
import { writeReport } from '../../src/reports/index.js';
import { countPairs, rankMistakes, reliability } from '../../src/reports/mistakes.js';
import { simulateCells } from '../../src/simulator/index.js';

const thresholds = hpaLabels.map(() => 0.5);

test('binary accuracy never stands without macro F1 and always answering "no"', (t) => {
  const report = scoreRows(rowsOf(8), hpaLabels, thresholds);
  const text = formatReport(report);
  for (const number of [report.binaryAccuracy, report.alwaysNoAccuracy, report.macroF1]) {
    t.true(text.includes(number.toFixed(6)), `${number}`);
  }
  for (const label of hpaLabels) t.true(text.includes(label), label);
  t.false(text.includes('\u001b'), 'no control codes');
  t.false(text.includes('NaN'));
});

test('a report is one file that needs nothing else, with the numbers and the frames beside it', async (t) => {
  const dir = join(await folder(t), 'new/report');
  const rows = rowsOf(8);
  const report = scoreRows(rows, hpaLabels, thresholds);
  await writeReport(dir, report, { title: 'cells@3 on <eight>', rows, readFrame });
  t.deepEqual((await readdir(dir)).sort(), [
    'frames.png',
    'predictions.csv',
    'report.html',
    'report.json',
  ]);
  const html = await readFile(join(dir, 'report.html'), 'utf8');
  t.notRegex(html, /(?:src|href)="(?!data:)|<script|url\((?!#)/);
  t.true(html.includes('cells@3 on &lt;eight&gt;'));
  t.true(html.includes(report.macroF1.toFixed(6)));
  t.true(html.includes(report.alwaysNoAccuracy.toFixed(6)));
  // F1; precision and recall; pairs; reliability.
  t.is(html.split('<svg').length - 1, 4);
  const saved: unknown = JSON.parse(await readFile(join(dir, 'report.json'), 'utf8'));
  t.like(saved, { frameCount: 8, macroF1: report.macroF1 });
  const { format, width } = await sharp(join(dir, 'frames.png')).metadata();
  t.is(format, 'png');
  t.true(Number(width) > 6 * 168);
});

test('without rows a report still has its scores', async (t) => {
  const dir = await folder(t);
  await writeReport(dir, scoreRows(rowsOf(3), hpaLabels, thresholds), { title: 'scores' });
  t.deepEqual((await readdir(dir)).sort(), ['report.html', 'report.json']);
});

test('a frame that cannot be shown is left out of the grid', async (t) => {
  const dir = await folder(t);
  const rows = rowsOf(2);
  const refuse = async () => {
    throw new DomainError('frame_invalid', 'expected 4 planes, got 3');
  };
  await writeReport(dir, scoreRows(rows, hpaLabels, thresholds), {
    title: 'scores',
    rows,
    readFrame: refuse,
  });
  t.false((await readdir(dir)).includes('frames.png'));
});

test('mistakes are ranked by their loss', (t) => {
  const row = (id: string, probability: number): PredictionRow => ({
    id,
    labelIndices: [0],
    probabilities: Float32Array.of(probability, 0.1),
  });
  const ranked = rankMistakes([row('good', 0.9), row('bad', 0.01), row('fair', 0.4)], [0.5, 0.5]);
  t.deepEqual(
    ranked.map(({ row: { id }, missed, hit }) => [id, missed, hit]),
    [
      ['bad', [0], []],
      ['fair', [0], []],
      ['good', [], [0]],
    ],
  );
});

test('pairs count what was missed against what was given instead', (t) => {
  const row = (labelIndices: readonly number[], ...given: number[]): PredictionRow => ({
    id: `${labelIndices} ${given}`,
    labelIndices,
    probabilities: Float32Array.from([0, 1], (label) => (given.includes(label) ? 0.9 : 0.1)),
  });
  const rows = [row([0], 1), row([0], 0), row([0, 1], 1), row([0], 0, 1)];
  const { counts } = countPairs(rankMistakes(rows, [0.5, 0.5]), 2);
  t.deepEqual(counts, [
    // Label 0: given rightly twice, once taken for 1, once missed.
    [2, 1, 1],
    [0, 1, 0],
    // Label 1 given once beside a label that was found.
    [0, 1, 0],
  ]);
});

test('reliability compares what was said with how often it was so', (t) => {
  const rows = Array.from({ length: 10 }, (_, at) => ({
    id: `${at}`,
    labelIndices: at < 8 ? [0] : [],
    probabilities: Float64Array.of(0.85),
  }));
  const [bin, ...others] = reliability(rows);
  t.is(others.length, 0);
  t.is(bin?.count, 10);
  t.is(bin?.trueShare, 0.8);
  t.true(Math.abs(Number(bin?.meanProbability) - 0.85) < 1e-12);
  // A probability of 1 belongs to the last bin.
  t.is(reliability([{ id: 'a', labelIndices: [0], probabilities: Float64Array.of(1) }]).length, 1);
});

/** Frames with one label each, the first half answered rightly. */
function rowsOf(count: number): readonly PredictionRow[] {
  return Array.from({ length: count }, (_, at) => ({
    id: `frame-${at}`,
    labelIndices: [at % 28],
    probabilities: Float32Array.from(hpaLabels, (_, label) =>
      label === (at < count / 2 ? at : at + 1) % 28 ? 0.9 : 0.05,
    ),
  }));
}

async function readFrame(id: string) {
  const at = Number(id.slice('frame-'.length));
  return simulateCells({ seed: at, labels: [at % 28], sizePx: 64 });
}

async function folder(t: ExecutionContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'cytostream-'));
  t.teardown(() => rm(dir, { recursive: true }));
  return dir;
}
