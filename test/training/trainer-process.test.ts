import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import type { ProcessEvent } from '../../src/training/process/messages.js';
import { createRunStore } from '../../src/training/run-store.js';
import { startTrainerProcess } from '../../src/training/trainer-process.js';
import { makeFolder } from '../make-folder.js';
import { newSpec } from './run-fixtures.js';
import { writeSmallDataset } from './small-dataset.js';

/** A process that trains without end. */
async function startEndless(t: Parameters<typeof makeFolder>[0]) {
  const folder = await makeFolder(t);
  const dataPath = await writeSmallDataset(join(folder, 'cells'), 8);
  const store = createRunStore(join(folder, 'runs'));
  t.teardown(() => store.close());
  const { path } = await store.create('endless', {
    spec: newSpec({
      dataPath,
      model: 'small',
      inputSpec: { widthPx: 32, heightPx: 32 },
      epochs: 10_000,
      batchSize: 4,
      trainingPart: 0.75,
      split: 'first',
      patience: 10_000,
    }),
  });
  let trains: () => void = () => {};
  const isTraining = new Promise<void>((resolve) => {
    trains = resolve;
  });
  const events: ProcessEvent[] = [];
  const trainer = await startTrainerProcess(
    {
      folder: path,
      devices: ['cpu'],
      stepsPerCall: 0,
      tensorflowPackage: null,
      threads: 1,
      share: 0.5,
      checkpointEveryMs: 30_000,
      frameCache: { folder, maxBytes: 0 },
      resumed: null,
      parent: null,
    },
    {
      onEvent: (event) => {
        events.push(event);
        if (event.kind === 'step') trains();
      },
    },
  );
  t.teardown(() => trainer.kill());
  await isTraining;
  return { ...trainer, events };
}

test.serial('a process that is killed fails its run by the name of the signal', async (t) => {
  const { pid, outcome } = await startEndless(t);
  process.kill(pid!, 'SIGKILL');
  t.deepEqual(await outcome, {
    state: 'failed',
    reason: 'the trainer process was ended by SIGKILL, by hand or for want of memory',
    exported: null,
  });
});

test.serial('a process that crashes fails its run by the name of the signal', async (t) => {
  const { pid, outcome } = await startEndless(t);
  process.kill(pid!, 'SIGSEGV');
  t.like(await outcome, { state: 'failed', reason: 'the trainer process was ended by SIGSEGV' });
});

test.serial('training runs at the lowest priority', async (t) => {
  const { pid, kill, outcome } = await startEndless(t);
  t.is(getPriority(pid!), 19);
  kill();
  await outcome;
});

test.serial(
  'a process whose parent is killed ends too, and its run is shown as failed',
  async (t) => {
    const folder = await makeFolder(t);
    const dataPath = await writeSmallDataset(join(folder, 'cells'), 8);
    const runsDir = join(folder, 'runs');
    const entry = join(import.meta.dirname, 'endless-process.js');
    const parent = spawn(process.execPath, [entry, runsDir, dataPath], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => void parent.kill('SIGKILL'));
    const [line] = await once(parent.stdout, 'data');
    const pid = Number(String(line));
    t.true(isThere(pid));
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    // It is no child of ours: nothing tells when it is gone.
    while (isThere(pid)) await setTimeout(20);
    const store = createRunStore(runsDir);
    t.teardown(() => store.close());
    t.like(await store.get('endless'), { state: 'failed', failure: 'the trainer process ended' });
  },
);

/** A process that has ended may stay listed as a zombie where nobody asks for its code. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && existsSync('/proc/self') === false;
  }
}
