// A parent of a trainer process that trains without end; prints the child's pid once it trains.
import { createRunStore } from '../../src/training/run-store.js';
import { startTrainerProcess } from '../../src/training/trainer-process.js';
import { newSpec } from './run-fixtures.js';

const [, , runsDir = '', dataPath = ''] = process.argv;
const store = createRunStore(runsDir);
const { path: folder } = await store.create('endless', {
  spec: newSpec({
    ...{ dataPath, epochs: 10_000, patience: 10_000, batchSize: 4 },
    inputSpec: { widthPx: 32, heightPx: 32 },
  }),
});
await store.close();
let isTold = false;
const trainer = await startTrainerProcess(
  {
    folder,
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
    onEvent: ({ kind }) => {
      if (kind === 'step' && !isTold) console.log(trainer.pid);
      isTold ||= kind === 'step';
    },
  },
);
