import test from 'ava';
import type { Session } from '../../src/engines/index.js';
import { checkSizes, warmSizes } from '../../src/models/warm-sizes.js';

/** Two labels, both the first pixel of the row; each run takes the next of these times. */
function sessionOf(runTimesMs: readonly number[], copies = 1) {
  const sizes: number[] = [];
  const session: Pick<Session, 'copies' | 'run'> = {
    copies,
    async run(input, batchSize) {
      const runMs = runTimesMs[sizes.length] ?? 1;
      sizes.push(batchSize);
      const rowBytes = input.byteLength / batchSize;
      const probabilities = new Float32Array(2 * batchSize);
      for (let at = 0; at < batchSize; at += 1) {
        probabilities.fill(input[at * rowBytes] ?? 0, 2 * at, 2 * at + 2);
      }
      return { probabilities, distances: new Float32Array(batchSize).fill(5), input, runMs };
    },
  };
  return { session: session as Session, sizes };
}

const row = Uint8Array.from([7, 1, 2]);

test('each size is run three times by each copy; its time is the best but the first', async (t) => {
  const { session, sizes } = sessionOf([1, 8, 6, 1, 4, 9]);
  const check = { row, labelCount: 2, findFault: () => null };
  t.deepEqual(
    [...(await warmSizes(session, [1, 2], check))],
    [
      [1, 6],
      [2, 4],
    ],
  );
  t.deepEqual(sizes, [1, 1, 1, 2, 2, 2]);
  const copied = sessionOf([], 2);
  await warmSizes(copied.session, [1], check);
  t.is(copied.sizes.length, 6);
});

test('every row of every size is looked at, and the fault of one refuses the model', async (t) => {
  const { session } = sessionOf([]);
  const seen: unknown[] = [];
  const warmed = warmSizes(session, [1, 2], {
    row,
    labelCount: 2,
    findFault({ probabilities, distance }, batchSize) {
      seen.push([...probabilities, distance, batchSize]);
      return seen.length === 3 ? 'the last row is off' : null;
    },
  });
  await t.throwsAsync(warmed, { code: 'model_failed', message: 'the last row is off' });
  t.deepEqual(seen, [
    [7, 7, 5, 1],
    [7, 7, 5, 2],
    [7, 7, 5, 2],
  ]);
});

test('what comes back is run once in each size, and every row is looked at', async (t) => {
  const { session, sizes } = sessionOf([]);
  let rows = 0;
  const findFault = () => {
    rows += 1;
    return rows > 7 ? 'it answers otherwise' : null;
  };
  const check = { row, labelCount: 2, findFault };
  await checkSizes(session.run, [1, 2, 4], check);
  t.deepEqual([sizes, rows], [[1, 2, 4], 7]);
  await t.throwsAsync(checkSizes(session.run, [1], check), {
    code: 'model_failed',
    message: 'it answers otherwise',
  });
});
