import test from 'ava';
import { type LearningEpoch, learningCurves } from '../../src/plots/learning-curves.js';

const epochOf = (epoch: number, known: Partial<LearningEpoch> = {}): LearningEpoch => ({
  ...{ epoch, trainingLoss: 1 / epoch, trainingAccuracy: 0.95, validationLoss: 1 / epoch },
  ...{ trainingMacroF1Present: 0.2 * epoch, trainingMacroAveragePrecisionPresent: 0.3 * epoch },
  ...{ validationAccuracy: 0.96, alwaysNoAccuracy: 0.95, best: epoch === 3 },
  ...{ validationMacroF1Present: 0.1 * epoch, validationMacroAveragePrecisionPresent: 0.2 * epoch },
  ...known,
});
const textsOf = (svg: string) =>
  [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text = '']) => text);
const history = [1, 2, 3].map((epoch) => epochOf(epoch));

test('binary accuracy is drawn with macro F1 and the answer "no", on the whole scale', (t) => {
  const svg = learningCurves(history).find(({ file }) => file === 'accuracy.svg')?.svg ?? '';
  const texts = textsOf(svg).map((text) => text.replaceAll('&quot;', '"'));
  for (const name of ['validation', '"no" to everything', 'macro F1 of validation', '0', '1']) {
    t.true(texts.includes(name), name);
  }
});

test('F1 and average precision are drawn of both parts, and say which labels they are over', (t) => {
  for (const name of ['macro-f1.svg', 'average-precision.svg']) {
    const curve = learningCurves(history).find(({ file }) => file === name);
    t.regex(curve?.title ?? '', /over the labels present/);
    const texts = textsOf(curve?.svg ?? '');
    t.true(texts.includes('training, while it learns') && texts.includes('validation'), name);
  }
});

test('epochs that lack a score leave a gap and not a zero', (t) => {
  const lacking = { trainingMacroF1Present: Number.NaN, validationMacroF1Present: Number.NaN };
  const of = (epochs: readonly LearningEpoch[]) =>
    learningCurves(epochs).find(({ file }) => file === 'macro-f1.svg')?.svg ?? '';
  const partly = of([epochOf(1, lacking), epochOf(2), epochOf(3)]);
  t.false(partly.includes('NaN'));
  t.not(
    partly,
    of([epochOf(1, { ...lacking, trainingMacroF1Present: 0 }), epochOf(2), epochOf(3)]),
  );
});
