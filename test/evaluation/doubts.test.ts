import test from 'ava';
import { findDoubts, type PredictionRow } from '../../src/evaluation/index.js';
import { golden } from './golden.js';

for (const [at, { probabilities, targets, doubted }] of golden.doubts.entries()) {
  test(`doubted labels are cleanlab's, label by label: case ${at}`, (t) => {
    const rows = probabilities.map(
      (row, frame): PredictionRow => ({
        id: `${frame}`,
        labelIndices: [...row.keys()].filter((label) => targets[frame]?.[label] === 1),
        probabilities: Float64Array.from(row),
      }),
    );
    const found = findDoubts(rows, doubted.length);
    for (const [label, expected] of doubted.entries()) {
      const ids = found
        .filter(({ doubts }) => doubts.some((doubt) => doubt.label === label))
        .map(({ id }) => Number(id));
      t.deepEqual(
        ids.sort((a, b) => a - b),
        [...expected],
        `label ${label}`,
      );
    }
  });
}

test('labels that were changed are found, and those that were not are left alone', (t) => {
  const rows = Array.from({ length: 40 }, (_, at): PredictionRow => {
    const isTrue = at % 4 === 0;
    const isGiven = at === 8 ? false : at === 13 ? true : isTrue;
    return {
      id: `f${at}`,
      labelIndices: isGiven ? [0] : [],
      probabilities: Float32Array.of(isTrue ? 0.9 : 0.1),
    };
  });
  const found = findDoubts(rows, 1);
  t.deepEqual(found.map(({ id }) => id).sort(), ['f13', 'f8']);
  t.like(found.find(({ id }) => id === 'f8')?.doubts[0], { label: 0, isGiven: false });
});

test('a label of which the model is never sure does not come first for that alone', (t) => {
  // Label 0 has 0.2 at most, also where it is given; label 1 is answered surely but once.
  const rows = Array.from({ length: 40 }, (_, at): PredictionRow => {
    const rare = at < 8 ? 0.16 + at * 0.005 : at === 8 ? 0.19 : 0.02;
    return {
      id: `f${at}`,
      labelIndices: [...(at < 8 || at === 9 ? [0] : []), ...(at % 2 === 0 ? [1] : [])],
      probabilities: Float64Array.of(rare, at === 20 ? 0.03 : at % 2 === 0 ? 0.9 : 0.05),
    };
  });
  const found = findDoubts(rows, 2);
  t.is(found[0]?.id, 'f20');
  t.like(found[0]?.doubts[0], { label: 1, isGiven: true, selfConfidence: 0.03 });
  const rareOne = found.find(({ id }) => id === 'f9')?.doubts[0];
  t.true((rareOne?.selfConfidence ?? 1) < 0.03, 'believed less, and yet not first');
});

test('a label that no frame has, or every frame, is not doubted', (t) => {
  const row = (id: string, probability: number): PredictionRow => ({
    id,
    labelIndices: [1],
    probabilities: Float32Array.of(probability, probability),
  });
  t.deepEqual(findDoubts([row('a', 0.99), row('b', 0.01)], 2), []);
  t.deepEqual(findDoubts([{ ...row('a', 0.9), labelIndices: null }], 2), []);
});
