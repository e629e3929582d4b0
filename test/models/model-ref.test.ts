import test from 'ava';
import { parseModelRef } from '../../src/models/index.js';

test('a name means its live version; a number or an alias may follow', (t) => {
  t.deepEqual(parseModelRef('cells'), { name: 'cells', selector: { alias: 'live' } });
  t.deepEqual(parseModelRef('a.b-c_9@12'), { name: 'a.b-c_9', selector: { version: 12 } });
  t.deepEqual(parseModelRef('cells@candidate'), {
    name: 'cells',
    selector: { alias: 'candidate' },
  });
  t.deepEqual(parseModelRef(''), { name: '', selector: { alias: 'live' } });
});

test('anything else is refused with what was expected', (t) => {
  for (const text of ['Cells', '../x', 'a/b', 'a b', '.a', 'a'.repeat(65), 'ä', '@3', 'a@@3']) {
    t.throws(() => parseModelRef(text), { code: 'option_invalid' }, text);
  }
  for (const text of ['cells@', 'cells@0', 'cells@1.5', 'cells@-1', 'cells@latest', 'cells@1e3']) {
    t.throws(() => parseModelRef(text), {
      code: 'option_invalid',
      message: /^model: expected a version number, live, previous, candidate after "@", got/,
    });
  }
});
