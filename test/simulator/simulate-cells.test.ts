import test from 'ava';
import { DomainError } from '../../src/errors.js';
import { hpaChannels } from '../../src/frames/index.js';
import { hpaLabels } from '../../src/label-set.js';
import { createRandom, drawLabels, simulateCells } from '../../src/simulator/index.js';

const mean = (bytes: Uint8Array) => bytes.reduce((sum, value) => sum + value, 0) / bytes.length;

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
      if (nucleus![i]! > 50) inside += light;
    });
    return inside / total;
  };
  for (const label of [0, 2, 3, 4, 5]) t.true(nuclearShare(label) > 0.75, hpaLabels[label]);
  for (const label of [6, 7, 8, 10, 13, 20, 21, 23]) {
    t.true(nuclearShare(label) < 0.25, hpaLabels[label]);
  }
});

test('labels differ from each other more than frames of one label do', (t) => {
  // a nearest-mean reader of a few plain measures must already beat chance by far
  const measure = (label: number, seed: number) => {
    const { planes } = simulateCells({ seed, labels: [label], sizePx: 128 });
    const protein = planes[1]!.bytes;
    const counts = [30, 60, 120, 180, 240].map(
      (level) => protein.reduce((count, value) => count + (value > level ? 1 : 0), 0) / 164,
    );
    const onNucleus = mean(protein.filter((_, i) => planes[2]!.bytes[i]! > 50));
    return [...counts.map((count) => Math.log1p(count)), Math.log1p(onNucleus)];
  };
  const means = hpaLabels.map((_, label) => {
    const rows = [0, 1, 2, 3, 4, 5].map((k) => measure(label, 1000 + 31 * k + label));
    return rows[0]!.map((_, j) => rows.reduce((sum, row) => sum + row[j]!, 0) / rows.length);
  });
  let right = 0;
  hpaLabels.forEach((_, label) => {
    for (const k of [0, 1, 2]) {
      const row = measure(label, 90_000 + 17 * k + label);
      const distances = means.map((m) =>
        m.reduce((sum, value, j) => sum + (value - row[j]!) ** 2, 0),
      );
      if (distances.indexOf(Math.min(...distances)) === label) right++;
    }
  });
  t.log(`${right} of 84 right by six plain measures; chance gives 3`);
  t.true(right > 25);
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
