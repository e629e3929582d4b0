// Runs AVA with the words given, and closes its report with one plain line that a
// script or a tired reader finds at once: "N passed, N failed". Exits with AVA's own code.
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const root = resolve(import.meta.dirname, '..');
const ava = join(root, 'node_modules', 'ava', 'entrypoints', 'cli.mjs');
const child = spawn(process.execPath, [ava, '--no-color', ...process.argv.slice(2)], {
  cwd: root,
  stdio: ['inherit', 'pipe', 'inherit'],
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));

// AVA leaves out how many passed as soon as one failed, so the ticks are counted.
let passed = 0;
let faults = 0;
createInterface({ input: child.stdout }).on('line', (line) => {
  console.log(line);
  if (/^ {2}(✔|√) /.test(line)) passed += 1;
  // The closing counts of what went wrong, a crashed file and a time-out among them.
  const [, count] =
    /^ {2}(\d+) (?:(?:test|hook)s? failed|known failures?|unhandled rejections?|uncaught exceptions?|tests? remained pending after a timeout)(?: *\[.*)?$/.exec(
      line,
    ) ?? [];
  faults += Number(count ?? 0);
});

const exitCode = await new Promise((done, fail) => {
  child.once('error', fail);
  child.once('close', (code) => done(code ?? 1));
});
// A run that fails without a count, or that ran no test, has failed all the same.
const failed = faults === 0 && (exitCode !== 0 || passed === 0) ? 1 : faults;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = exitCode === 0 && failed > 0 ? 1 : exitCode;
