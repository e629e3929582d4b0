import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { packageRoot } from '../../src/package-root.js';

const run = promisify(execFile);
const installed = ['test-python', 'test-kserve'].map((name) =>
  join(packageRoot, 'node_modules/.cache', name, 'bin/python'),
);

/**
 * A Python that has these modules: the one that `CYTOSTREAM_TEST_PYTHON` names, or what
 * `scripts/test-python.sh` installed. null, and a loud line, where there is none: the test
 * is then to pass without looking.
 */
export async function findPython(
  t: ExecutionContext,
  modules: readonly string[],
): Promise<string | null> {
  const named = process.env['CYTOSTREAM_TEST_PYTHON'];
  const imports = modules.map((module) => `import ${module}`).join('; ');
  for (const python of named === undefined ? installed.filter(existsSync) : [named]) {
    const found = await run(python, ['-c', imports]).then(
      () => true,
      () => false,
    );
    if (found) return python;
  }
  const line = `SKIPPED "${t.title}": no Python with ${modules.join(', ')}; scripts/test-python.sh installs them`;
  console.warn(line);
  t.log(line);
  t.pass();
  return null;
}

/** Runs a script of this folder and reads the JSON that it prints. */
export async function runScript(
  python: string,
  script: string,
  words: readonly string[],
): Promise<unknown> {
  const path = join(packageRoot, 'test/python', script);
  const { stdout } = await run(python, [path, ...words], { timeout: 60_000 });
  return JSON.parse(stdout);
}
