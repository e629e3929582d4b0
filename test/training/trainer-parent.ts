// A server's part of a training: starts a run and prints "epoch" once its first is done.

import { silentLog } from '../../src/log.js';
import { openModelStore } from '../../src/models/index.js';
import { createTrainer } from '../../src/training/index.js';

const [, , folder = '', runId = '', spec = ''] = process.argv;
const trainer = createTrainer(
  {
    runsDir: `${folder}/runs`,
    threads: 1,
  },
  { log: silentLog, store: await openModelStore(`${folder}/models`) },
);
await trainer.start(JSON.parse(spec), runId);
for await (const event of trainer.watch(runId, 1, new AbortController().signal)) {
  if (event.kind === 'epoch') console.log('epoch');
}
