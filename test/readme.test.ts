import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { packageRoot } from '../src/package-root.js';

const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8');

test('the README lists every setting as the configuration has it', (t) => {
  t.notThrows(() =>
    execFileSync(process.execPath, ['scripts/readme.mjs', '--check'], { cwd: packageRoot }),
  );
});

test('the README gives a reason for every package that is installed', (t) => {
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(join(packageRoot, 'package.json'), 'utf8'),
  ) as { dependencies: Record<string, string>; devDependencies: Record<string, string> };
  const names = [...Object.keys(dependencies), ...Object.keys(devDependencies)];
  const missing = names.filter(
    (name) => !name.startsWith('@types/') && !readme.includes(`\`${name}\``),
  );
  t.deepEqual(missing, []);
});
