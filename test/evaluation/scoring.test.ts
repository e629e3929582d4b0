import test from 'ava';
import { answers } from '../../src/evaluation/questions.js';
import { reportInWorker } from '../../src/evaluation/scoring.js';

/** Frames of three labels, answered rightly more often than not. */
function questionOf(frameCount: number) {
  const labels = ['a', 'b', 'c'];
  const targets = Uint8Array.from({ length: frameCount * 3 }, (_, at) => Number(at % 7 < 2));
  return {
    scored: {
      ...{ labels, targets, thresholds: [0.5, 0.5, 0.5] },
      probabilities: Float64Array.from(targets, (target, at) =>
        Math.abs(target - ((at * 37) % 100) / 110),
      ),
    },
    ids: Array.from({ length: frameCount }, (_, at) => `f${at}`),
    groups: Array.from({ length: frameCount }, (_, at) => `g${at % 9}`),
    doubtCount: 5,
  };
}

test('a report is made by another thread, with the numbers that this one would give', async (t) => {
  const expected = answers.report(questionOf(90), { resampleCount: 50, seed: 3 });
  const question = questionOf(90);
  const told: (readonly [number, number])[] = [];
  const report = await reportInWorker(question, {
    ...{ resampleCount: 50, seed: 3 },
    onProgress: (done, total) => told.push([done, total]),
  });
  t.deepEqual(report, expected);
  t.is(report.doubts.length, 5);
  t.deepEqual(told.at(-1), [50, 50]);
  // They went over, and were not copied.
  t.is(question.scored.probabilities.byteLength, 0);
});

test('what cannot be scored is told with its code', async (t) => {
  const question = questionOf(9);
  question.scored.probabilities[4] = 1.5;
  await t.throwsAsync(reportInWorker(question), {
    code: 'option_invalid',
    message: /expected probabilities from 0 to 1, got 1.5/,
  });
});

test('an abort ends a scoring that has begun, and one that has not', async (t) => {
  const leaving = new AbortController();
  const begun = reportInWorker(questionOf(2000), {
    resampleCount: 1_000_000,
    signal: leaving.signal,
    onProgress: () => leaving.abort(),
  });
  await t.throwsAsync(begun, { code: 'cancelled' });
  await t.throwsAsync(reportInWorker(questionOf(9), { signal: leaving.signal }), {
    code: 'cancelled',
  });
});
