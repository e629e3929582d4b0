import { join } from 'node:path';
import test from 'ava';
import { runCli } from '../cli/run-cli.js';
import { makeFolder } from '../make-folder.js';

test('a device that is not there stops the start in one line that says why', async (t) => {
  const folder = await makeFolder(t);
  // A device of another system is nowhere to be found on this one.
  const elsewhere = process.platform === 'win32' ? 'coreml' : 'directml';
  const models = ['--models', join(folder, 'models'), '--port', '0', '--http-port', '0'];
  for (const option of ['--device', '--training-device']) {
    const words = ['serve', '--host', '127.0.0.1', ...models, option, elsewhere];
    const { stderr, exitCode } = await runCli(words, { cwd: folder });
    t.is(exitCode, 1, stderr);
    const [line] = stderr.split('\n').filter((text) => text.startsWith('cytostream: '));
    t.regex(line ?? stderr, new RegExp(`${elsewhere}: it runs on `));
  }
});
