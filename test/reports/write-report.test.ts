import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import sharp from 'sharp';
import { DomainError } from '../../src/errors.js';
import {
  findDoubts,
  formatReport,
  intervalsOf,
  type PredictionRow,
  reliability,
  scoreRows,
  stackRows,
} from '../../src/evaluation/index.js';
import { hpaLabels } from '../../src/label-set.js';
import { writeReport } from '../../src/reports/index.js';
import { pairTable, rankMistakes } from '../../src/reports/mistakes.js';
import { simulateCells } from '../../src/simulator/index.js';
import { makeFolder } from '../make-folder.js';

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
  const dir = join(await makeFolder(t), 'new/report');
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
  const dir = await makeFolder(t);
  await writeReport(dir, scoreRows(rowsOf(3), hpaLabels, thresholds), { title: 'scores' });
  t.deepEqual((await readdir(dir)).sort(), ['report.html', 'report.json']);
});

test('a frame that cannot be shown is left out of the grid', async (t) => {
  const dir = await makeFolder(t);
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

test('the worst mistakes are shown with the evidence for their labels', async (t) => {
  const dir = await makeFolder(t);
  const rows = rowsOf(3);
  const asked: string[] = [];
  await writeReport(dir, scoreRows(rows, hpaLabels, thresholds), {
    title: 'scores',
    rows,
    readFrame: async (id) => simulateCells({ seed: id.length, labels: [0], sizePx: 64 }),
    async explain(id, labelIndices) {
      asked.push(id);
      t.true(labelIndices.length <= 3);
      const box = { left: 0, top: 0, right: 1, bottom: 1 };
      return labelIndices.map((labelIndex) => ({
        ...{ labelIndex, widthPx: 2, heightPx: 1, box },
        levels: Uint8Array.of(0, 255),
      }));
    },
  });
  t.deepEqual(asked.sort(), rows.map(({ id }) => id).sort());
  t.is((await sharp(join(dir, 'explanations.png')).metadata()).format, 'png');
  const html = await readFile(join(dir, 'report.html'), 'utf8');
  t.regex(html, /<h2>Where the evidence lies<\/h2>/);
  t.is(html.split('<img').length - 1, 2, 'frames, and frames with maps');
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
  t.deepEqual(pairTable(scoreRows(rows, ['a', 'b'], [0.5, 0.5])), [
    // Label 0: given rightly twice, once taken for 1, once missed.
    [2, 1, 1],
    [0, 1, 0],
    // Label 1 given once beside a label that was found.
    [0, 1, 0],
  ]);
});

test('reliability compares what was said with how often it was so', (t) => {
  const [bin, ...others] = reliability({
    probabilities: new Float64Array(10).fill(0.85),
    targets: Uint8Array.from({ length: 10 }, (_, at) => Number(at < 8)),
  });
  t.is(others.length, 0);
  t.is(bin?.count, 10);
  t.is(bin?.trueShare, 0.8);
  t.true(Math.abs(Number(bin?.meanProbability) - 0.85) < 1e-12);
  // A probability of 1 belongs to the last bin.
  const sure = { probabilities: Float64Array.of(1), targets: Uint8Array.of(1) };
  t.is(reliability(sure).length, 1);
});

test('the curves of the training are in the report where they are known', async (t) => {
  const dir = await makeFolder(t);
  const history = [1, 2, 3].map((epoch) => ({
    ...{ epoch, trainingLoss: 1 / epoch, trainingAccuracy: 0.9, validationLoss: 1 / epoch },
    ...{ validationAccuracy: 0.91, validationMacroF1Present: 0.1 * epoch, alwaysNoAccuracy: 0.95 },
    ...{ trainingMacroF1Present: 0.2 * epoch, trainingMacroAveragePrecisionPresent: 0.3 * epoch },
    validationMacroAveragePrecisionPresent: 0.2 * epoch,
    best: epoch === 3,
  }));
  await writeReport(dir, scoreRows(rowsOf(3), hpaLabels, thresholds), { title: 'x', history });
  const html = await readFile(join(dir, 'report.html'), 'utf8');
  for (const title of ['Loss', 'Binary accuracy', 'Macro F1', 'Macro average precision']) {
    t.true(html.includes(`Its training: ${title}`), title);
  }
  // Beside the four of every report.
  t.is(html.split('<svg').length - 1, 8);
});

test('doubted labels are listed in a file, drawn, and shown', async (t) => {
  const dir = await makeFolder(t);
  const rows = rowsOf(8);
  const doubts = findDoubts(rows, 28);
  t.true(doubts.length > 0);
  const report = { ...scoreRows(rows, hpaLabels, thresholds), doubts };
  await writeReport(dir, report, { title: 'doubts', rows, readFrame });
  const lines = (await readFile(join(dir, 'doubts.csv'), 'utf8')).trim().split('\n');
  t.is(lines[0], 'Id,Label,Name,Given,Probability,Expected,SelfConfidence,UsualConfidence');
  t.is(lines.length, 1 + doubts.flatMap((frame) => frame.doubts).length);
  t.is((await sharp(join(dir, 'doubts.png')).metadata()).format, 'png');
  const html = await readFile(join(dir, 'report.html'), 'utf8');
  for (const { id } of doubts) t.true(html.includes(id), id);
  t.true(html.includes('confident learning'));
});

test('a frame of which much is doubted shows what is doubted most', async (t) => {
  const dir = await makeFolder(t);
  const rows = rowsOf(3);
  const doubt = { isGiven: false, probability: 0.9, expected: 0.8 };
  const of = { ...doubt, selfConfidence: 0.1, usualConfidence: 0.9 };
  const doubts = [{ id: 'frame-0', doubts: [3, 4, 5, 6, 7, 8].map((label) => ({ ...of, label })) }];
  const report = { ...scoreRows(rows, hpaLabels, thresholds), doubts };
  await writeReport(dir, report, { title: 'doubts', rows });
  const html = await readFile(join(dir, 'report.html'), 'utf8');
  t.is(html.split('not given, expected').length - 1, 4);
  t.true(html.includes('and 2 more, in doubts.csv'));
  const lines = (await readFile(join(dir, 'doubts.csv'), 'utf8')).trim().split('\n');
  t.is(lines.length, 1 + 6);
});

test('intervals stand beside the scores that they are of', async (t) => {
  const rows = rowsOf(12);
  const scored = stackRows(rows, hpaLabels, thresholds);
  const groups = rows.map((_, at) => `field ${at % 4}`);
  const intervals = await intervalsOf(scored, groups, { resampleCount: 50 });
  const report = { ...scoreRows(rows, hpaLabels, thresholds), intervals };
  const text = formatReport(report);
  t.regex(text, /95 % intervals over 50 draws of weights for 4 groups/);
  const { low, high } = intervals.macroF1Present;
  t.regex(text, new RegExp(`macro F1, labels present +\\S+ +${low.toFixed(3)}–${high.toFixed(3)}`));
  const dir = await makeFolder(t);
  await writeReport(dir, report, { title: 'intervals' });
  const html = await readFile(join(dir, 'report.html'), 'utf8');
  t.true(html.includes(`${low.toFixed(3)}–${high.toFixed(3)}`));
  t.true(html.includes('draws of weights for 4 groups'));
  const { low: least, high: most } = intervals.macroAurocPresent ?? { low: 0, high: 0 };
  t.true(html.includes(`${least.toFixed(3)}–${most.toFixed(3)}`));
});

test('a label that no frame has shows how many were given it, and no F1', async (t) => {
  const rows = rowsOf(4).map((row) => ({
    ...row,
    probabilities: Float32Array.from(row.probabilities).fill(0.8, 20),
  }));
  const report = scoreRows(rows, hpaLabels, thresholds);
  t.true(report.macroF1TrueOrGiven < report.macroF1Present);
  t.regex(formatReport(report), /labels present +4 of 28; 9 others given wrongly/);
  t.regex(formatReport(report), /^ *20 .* 0 +4 +0\.500 +– +– +–/m);
  t.regex(formatReport(report), /^ *15 .* 0 +0 +0\.500 +– +– +–/m);
  const dir = await makeFolder(t);
  await writeReport(dir, report, { title: 'x' });
  const saved = JSON.parse(await readFile(join(dir, 'report.json'), 'utf8'));
  t.like(saved.labels[20], {
    support: 0,
    wronglyGiven: 4,
    precision: null,
    recall: null,
    f1: null,
  });
  const html = await readFile(join(dir, 'report.html'), 'utf8');
  t.true(html.includes('4 of 28; 9 others given wrongly'));
  t.true(html.includes(report.macroF1TrueOrGiven.toFixed(6)));
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
