import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { packageRoot } from '../../src/package-root.js';

const room = pathToFileURL(join(packageRoot, 'dist/src/cli/interruption.js')).href;

/** A process that takes Ctrl-C over, says so, and goes on until it is ended. */
async function startWorker(after = '') {
  const script = `
    import { createInterruption } from ${JSON.stringify(room)};
    setInterval(() => {}, 1000);
    const interruption = createInterruption((signal) => console.log('first ' + signal));
    interruption.signal.addEventListener('abort', () => {
      console.log(interruption.signal.reason.name + ' ' + interruption.received);
      ${after}
    });
    console.log('ready');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const until = async (pattern: RegExp) => {
    while (!pattern.test(text)) await once(child.stdout, 'data');
  };
  await until(/ready/);
  return { child, until, text: () => text };
}

test('the first signal is told to the work, which goes on to its end', async (t) => {
  const { child, text } = await startWorker('setTimeout(() => process.exit(7), 100);');
  child.kill('SIGINT');
  const [exitCode] = await once(child, 'close');
  t.is(exitCode, 7);
  t.is(text(), 'ready\nfirst SIGINT\nAbortError SIGINT\n');
});

test('a terminal that is closed counts as a signal to stop, not as an end', async (t) => {
  const { child, text } = await startWorker('setTimeout(() => process.exit(7), 100);');
  child.kill('SIGHUP');
  const [exitCode] = await once(child, 'close');
  t.is(exitCode, 7);
  t.is(text(), 'ready\nfirst SIGHUP\nAbortError SIGHUP\n');
});

test('the echo of a signal does not count as a second', async (t) => {
  const { child, until } = await startWorker('setTimeout(() => process.exit(7), 100);');
  child.kill('SIGINT');
  await until(/AbortError/);
  child.kill('SIGINT');
  const [exitCode] = await once(child, 'close');
  t.is(exitCode, 7);
});

test('a second signal, a moment later, leaves at once', async (t) => {
  const { child, until } = await startWorker("setTimeout(() => console.log('later'), 600);");
  child.kill('SIGTERM');
  await until(/later/);
  child.kill('SIGINT');
  const [exitCode] = await once(child, 'close');
  t.is(exitCode, 130);
});
