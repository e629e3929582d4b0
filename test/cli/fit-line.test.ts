import test from 'ava';
import { columnsOf, fitParts, formatFacts, wrapLine } from '../../src/cli/fit-line.js';

test('a terminal without a size, or of none, is taken for one of 80 columns', (t) => {
  t.deepEqual([{}, { columns: 0 }, { columns: 132 }].map(columnsOf), [80, 80, 132]);
});

test('parts are shown as long as they fit, and the first in any case', (t) => {
  t.is(fitParts(['ab', 'cd', 'ef'], 6), 'ab  cd');
  t.is(fitParts(['abcdef', 'g'], 4), 'abcd');
});

test('a long line breaks between parts, else between words, else anywhere', (t) => {
  t.deepEqual(wrapLine('one two  three', 12), ['one two', '  three']);
  t.deepEqual(wrapLine('one two three', 9), ['one two', '  three']);
  t.deepEqual(wrapLine('abcdefgh', 5), ['abcde', '  fgh']);
  t.is(wrapLine('anything at all', 1).join(''), 'anythingatall');
});

test('a fact that is too long goes on in its own column', (t) => {
  t.deepEqual(
    formatFacts(
      [
        ['run', 'a b'],
        ['dataset', 'one two threes'],
      ],
      { columns: 20 },
    ).split('\n'),
    ['run      a b', 'dataset  one two', '         threes'],
  );
});
