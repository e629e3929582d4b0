import test from 'ava';
import { formatTable, left, right } from '../src/table.js';

const columns = [left('label'), right('frames'), right('F1', 2), left('note', 1)];
const rows = [
  ['Nucleoli', 12, '0.500', 'a long remark'],
  ['Rods & rings', 3, '1.000', ''],
];

test('words are on the left, numbers on the right, and lines end where their text does', (t) => {
  t.deepEqual(formatTable(columns, rows).split('\n'), [
    'label         frames     F1  note',
    'Nucleoli          12  0.500  a long remark',
    'Rods & rings       3  1.000',
  ]);
});

test('what is too wide leaves out what it may, in its order, and says so', (t) => {
  t.deepEqual(formatTable(columns, rows, { columns: 41 }).split('\n'), [
    'label         frames     F1',
    'Nucleoli          12  0.500',
    'Rods & rings       3  1.000',
    'not shown in 41 columns: note',
  ]);
  t.deepEqual(formatTable(columns, rows, { columns: 20 }).split('\n'), [
    'label         frames',
    'Nucleoli          12',
    'Rods & rings       3',
    'not shown in 20 columns: F1, note',
  ]);
  // What may not be left out stays, however narrow it is.
  t.true(formatTable(columns, rows, { columns: 5 }).startsWith('label         frames\n'));
});

test('a table without headings has no line for them', (t) => {
  t.is(formatTable([left(''), right('')], [['frames', 3]]), 'frames  3');
});
