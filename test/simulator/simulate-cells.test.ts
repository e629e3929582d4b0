import test from 'ava';
import { DomainError } from '../../src/errors.js';
import { hpaChannels } from '../../src/frames/index.js';
import { hpaLabels } from '../../src/label-set.js';
import { createRandom, drawLabels, simulateCells } from '../../src/simulator/index.js';
import { measurePattern } from './measures.js';

const range = (count: number) => Array.from({ length: count }, (_, at) => at);

const measured = (label: number, seed: number) =>
  measurePattern(simulateCells({ seed: seed + label, labels: [label], sizePx: 128 }));

test('a frame is four raw planes of the asked size, each its own bytes', (t) => {
  const frame = simulateCells({ seed: 3, labels: [7], sizePx: 96 });
  t.deepEqual(
    frame.planes.map(({ channel }) => channel),
    [...hpaChannels],
  );
  t.true(frame.planes.every(({ bytes }) => bytes.length === 96 * 96));
  t.is(new Set(frame.planes.map(({ bytes }) => bytes.buffer)).size, 4);
  t.is(frame.encoding, 'raw');
  t.is(frame.pixelType, 'uint8');
});

test('the same seed gives the same pixels, the next seed others', (t) => {
  const make = (seed: number) => simulateCells({ seed, labels: [23, 25], sizePx: 64 });
  t.deepEqual(make(5), make(5));
  t.notDeepEqual(make(5).planes, make(6).planes);
});

test('all planes of every label show structure, none is empty or burnt out', (t) => {
  hpaLabels.forEach((label, index) => {
    const frame = simulateCells({ seed: index, labels: [index], sizePx: 128 });
    for (const { channel, bytes } of frame.planes) {
      const brightest = bytes.reduce((max, value) => Math.max(max, value), 0);
      const full = bytes.reduce((count, value) => count + (value === 255 ? 1 : 0), 0);
      t.true(brightest > 60, `${label}: ${channel} reaches ${brightest}`);
      t.true(full < 0.05 * bytes.length, `${label}: ${channel} has ${full} saturated pixels`);
    }
  });
});

test('a protein lies where its label says', (t) => {
  // share of the protein's light that falls on stained DNA
  const nuclearShare = (label: number) => {
    const { planes } = simulateCells({ seed: 40 + label, labels: [label], sizePx: 128 });
    const [, protein, nucleus] = planes.map(({ bytes }) => bytes);
    let inside = 0;
    let total = 0;
    protein!.forEach((value, i) => {
      const light = Math.max(0, value - 12);
      total += light;
      // DNA stains weakly in the nucleoli, which are a part of the nucleus.
      if (nucleus![i]! > 22) inside += light;
    });
    return inside / total;
  };
  for (const label of [0, 2, 3, 4, 5]) t.true(nuclearShare(label) > 0.75, hpaLabels[label]);
  for (const label of [6, 7, 8, 10, 13, 20, 21, 23]) {
    t.true(nuclearShare(label) < 0.25, hpaLabels[label]);
  }
});

test('each of the 28 labels is told from all others by plain measures', (t) => {
  // No network: each frame goes to the label whose mean lies nearest, each measure by its spread.
  const learnt = hpaLabels.map((_, label) => range(12).map((k) => measured(label, 1000 * k)));
  const means = learnt.map((rows) =>
    rows[0]!.map((_, j) => rows.reduce((all, row) => all + row[j]!, 0) / rows.length),
  );
  const spreads = means[0]!.map((_, j) =>
    learnt.reduce(
      (all, rows, label) =>
        all + rows.reduce((own, row) => own + (row[j]! - means[label]![j]!) ** 2, 0),
      0,
    ),
  );
  const nearest = (row: readonly number[]) => {
    const distances = means.map((mean) =>
      mean.reduce((all, value, j) => all + (value - row[j]!) ** 2 / spreads[j]!, 0),
    );
    return distances.indexOf(Math.min(...distances));
  };
  const rights = hpaLabels.map(
    (_, label) =>
      range(6).filter((k) => nearest(measured(label, 500_000 + 1000 * k)) === label).length,
  );
  const right = rights.reduce((all, count) => all + count, 0);
  t.log(`${right} of 168 right; chance gives 6`);
  t.true(right >= 140);
  rights.forEach((count, label) => {
    t.true(count >= 2, `${hpaLabels[label]}: ${count} of 6 right`);
  });
});

test('a protein at home in a structure lies where the stain of that structure lies', (t) => {
  // measures 1 and 3: correlation with microtubules and with the reticulum
  t.true(measured(14, 3)[1]! > 0.9);
  t.true(measured(6, 3)[3]! > 0.9);
  t.true(measured(17, 3)[1]! > 0.9);
  t.true(measured(8, 3)[1]! < 0.5);
});

test('a large frame is a field of several cells', (t) => {
  const { planes } = simulateCells({ seed: 8, labels: [0], sizePx: 384 });
  const nucleus = planes[2]!.bytes;
  const quarters = [0, 0, 0, 0];
  nucleus.forEach((value, i) => {
    if (value < 60) return;
    const quarter = (i % 384 < 192 ? 0 : 1) + (i < 192 * 384 ? 0 : 2);
    quarters[quarter] = quarters[quarter]! + 1;
  });
  t.true(quarters.filter((count) => count > 300).length >= 3, quarters.join());
});

test('labels are drawn one or two a frame, all nearly equally often', (t) => {
  const random = createRandom(9);
  const counts = new Array<number>(28).fill(0);
  for (let i = 0; i < 5600; i++) {
    const labels = drawLabels(random);
    t.true(labels.length === 1 || (labels.length === 2 && labels[0]! < labels[1]!));
    for (const label of labels) counts[label] = counts[label]! + 1;
  }
  t.true(Math.min(...counts) > 140 && Math.max(...counts) < 340, counts.join());
});

test('labels, sizes and seeds out of range are refused together', (t) => {
  const error = t.throws(() => simulateCells({ seed: 0.5, labels: [28, -1], sizePx: 8 }), {
    instanceOf: DomainError,
  });
  t.is((error as DomainError).code, 'option_invalid');
  t.is((error as DomainError).message.split('; ').length, 4);
});
