import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { packageRoot } from '../../../src/package-root.js';
import { shrunkCovariance } from '../../../src/training/process/shrunk-covariance.js';

/** What test/golden/shrunk_covariance.py wrote. */
const golden: readonly {
  readonly rows: readonly (readonly number[])[];
  readonly covariance: readonly (readonly number[])[];
  readonly shrinkage: number;
}[] = JSON.parse(readFileSync(join(packageRoot, 'test/golden/shrunk-covariance.json'), 'utf8'));

for (const { rows, covariance, shrinkage } of golden) {
  const size = covariance.length;
  test(`${rows.length} rows of ${size} are shrunk as scikit-learn shrinks them`, (t) => {
    const found = shrunkCovariance(Float64Array.from(rows.flat()), rows.length, size);
    // Both in float64; sums in another order.
    t.true(Math.abs(found.shrinkage - shrinkage) < 1e-12, `${found.shrinkage}`);
    for (const [at, expected] of covariance.flat().entries()) {
      t.true(Math.abs(found.covariance[at]! - expected) < 1e-12 * Math.max(1, Math.abs(expected)));
    }
  });
}

test('rows that are all alike give a matrix that can be inverted', (t) => {
  const { covariance, shrinkage } = shrunkCovariance(new Float64Array(12), 4, 3);
  t.is(shrinkage, 1);
  t.deepEqual([...covariance], [1, 0, 0, 0, 1, 0, 0, 0, 1]);
});

test('two rows give a matrix that can be inverted', (t) => {
  // Centred, so that one is the other's opposite; their covariance alone is of rank 1.
  const { covariance, shrinkage } = shrunkCovariance(Float64Array.of(1, 2, -1, -2), 2, 2);
  t.true(shrinkage > 0);
  const [a = 0, b = 0, c = 0, d = 0] = covariance;
  t.true(a * d - b * c > 0);
});
