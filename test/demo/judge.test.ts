import test from 'ava';
import { type Judged, judge } from '../../src/demo/judge.js';

const whole: Judged = {
  ...{ macroF1: 0.7, asked: null, promised: 0.6, isCut: false, isSmall: false },
};
const low = /^expected macro F1 of at least 0\.6 on the held-out frames, got 0\.599$/;

test('a whole training is held to what its recipe promises', (t) => {
  t.is(judge(whole), 'macro F1 0.700: checked, at least 0.6 was expected');
  t.throws(() => judge({ ...whole, macroF1: 0.599 }), { message: low });
});

test('where time or frames do not suffice, it says that nothing was checked', (t) => {
  const start = 'macro F1 0.100: NOT CHECKED against the 0.6 of a whole training, since ';
  t.is(judge({ ...whole, macroF1: 0.1, isCut: true }), `${start}its time ran out, see --seconds`);
  t.is(
    judge({ ...whole, macroF1: 0.1, isSmall: true }),
    `${start}it had too few frames, see --frames`,
  );
});

test('what the caller asks for is checked whatever the training was given', (t) => {
  const cut = { ...whole, asked: 0.6, isCut: true, isSmall: true };
  t.throws(() => judge({ ...cut, macroF1: 0.599 }), { message: low });
  t.is(judge(cut), 'macro F1 0.700: checked, at least 0.6 was expected');
});

test('a network of which nothing is promised is not said to have passed', (t) => {
  const judged = judge({ ...whole, promised: 0, macroF1: 0.1 });
  t.is(judged, 'macro F1 0.100: nothing is promised of this network');
});
