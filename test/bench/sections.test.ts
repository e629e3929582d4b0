import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import type { Row } from '../../bench/sections.js';
import { sections } from '../../bench/sections.js';
import { packageRoot } from '../../src/package-root.js';

const script = join(packageRoot, 'dist/bench/main.js');

// One after the other, as the bench does it: each takes the cores that it finds.
for (const section of Object.keys(sections)) {
  test.serial(`the section ${section} of the bench goes through in short`, async (t) => {
    t.timeout(300_000);
    const args = [script, section, '--short', '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { machine, rows } = JSON.parse(stdout) as {
      readonly machine: { readonly cores: number };
      readonly rows: readonly Row[];
    };
    t.true(machine.cores >= 1);
    t.true(rows.length > 0);
    for (const { what, value, lost = 0 } of rows) {
      t.true(value === null || (Number.isFinite(value) && value > 0), `${what}: ${value}`);
      t.is(lost, 0, what);
    }
  });
}

test('a section that is not there is refused with those that are', async (t) => {
  const failed = await t.throwsAsync<Error & { readonly code: number; readonly stderr: string }>(
    promisify(execFile)(process.execPath, [script, 'speed']),
  );
  t.is(failed.code, 2);
  t.regex(failed.stderr, /expected classify, .*, got speed/);
});
