// A parent of a trainer process that trains without end; prints the child's pid once it trains.
import { hpaChannels } from '../../src/frames/index.js';
import { hpaLabels } from '../../src/label-set.js';
import { createRunStore } from '../../src/training/run-store.js';
import { startTrainerProcess } from '../../src/training/trainer-process.js';
import { newSpec } from './run-fixtures.js';

const [, , runsDir = '', dataPath = ''] = process.argv;
const store = createRunStore(runsDir);
const { path: folder } = await store.create('endless', {
  labels: hpaLabels,
  inputSpec: { channels: hpaChannels, widthPx: 32, heightPx: 32, resize: 'bilinear' },
  spec: newSpec({ dataPath, epochs: 10_000, patience: 10_000, batchSize: 4 }),
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
    parentTemperature: 1,
  },
  {
    onEvent: ({ kind }) => {
      if (kind === 'step' && !isTold) console.log(trainer.pid);
      isTold ||= kind === 'step';
    },
  },
);
