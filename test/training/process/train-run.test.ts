import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { trainRun } from '../../../src/training/process/train-run.js';
import { createRunFolder } from '../../../src/training/run-folder.js';
import { thisOwner } from '../../../src/training/run-owner.js';
import { makeFolder } from '../../make-folder.js';
import { newSpec } from '../run-fixtures.js';
import { writeSmallDataset } from '../small-dataset.js';

const descriptors = '/proc/self/fd';

/** The files of a folder that this process has open. */
function openFilesOf(folder: string): readonly string[] {
  return readdirSync(descriptors).flatMap((descriptor) => {
    try {
      const path = readlinkSync(join(descriptors, descriptor));
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return []; // the listing's own is closed by now
    }
  });
}

test('a run that ends has closed the files of its frames', async (t) => {
  if (process.platform !== 'linux') {
    t.log('SKIPPED: this system does not list the open files of a process');
    return;
  }
  const place = await makeFolder(t);
  const dataPath = await writeSmallDataset(join(place, 'cells'), 12);
  const folder = join(place, 'run');
  const frameCache = join(place, 'cache');
  const spec = newSpec({ dataPath, inputSpec: { widthPx: 32, heightPx: 32 } });
  const record = { runId: 'run', spec, startedAtMs: Date.now(), owner: await thisOwner() };
  await createRunFolder(folder, record);
  let filesWhileLearning: readonly string[] = [];
  const outcome = await trainRun(
    {
      ...{ folder, devices: ['cpu'], stepsPerCall: 1, tensorflowPackage: null, threads: 1 },
      ...{ share: 1, checkpointEveryMs: 60_000, resumed: null, parent: null },
      frameCache: { folder: frameCache, maxBytes: 1e6 },
    },
    {
      tell: () => undefined,
      warn: (message) => t.fail(message),
      isStopRequested() {
        filesWhileLearning = openFilesOf(frameCache);
        return filesWhileLearning.some((path) => path.endsWith('.frames'));
      },
      rest: async () => undefined,
    },
  );
  t.is(outcome.state, 'stopped');
  t.is(filesWhileLearning.length, 1);
  t.deepEqual(openFilesOf(place), []);
});
