// A trainer in a process under a limit on the size of files, which its own process inherits.
import { silentLog } from '../../src/log.js';
import { createTrainer } from '../../src/training/index.js';
import { newSpec } from './run-fixtures.js';

const [, , runsDir = '', dataPath = ''] = process.argv;
const trainer = createTrainer(
  {
    runsDir,
    threads: 1,
  },
  {
    log: silentLog,
    store: {
      aliases: async () => ({}),
      setAlias: async () => undefined,
      changeAliases: async () => ({}),
      read: () => Promise.reject(new Error('nothing is to be continued')),
      readFile: () => Promise.reject(new Error('nothing is to be continued')),
      publish: () => Promise.reject(new Error('nothing is to be published')),
    },
  },
);
const spec = newSpec({
  ...{ dataPath, model: 'small', epochs: 2, batchSize: 4 },
  inputSpec: { widthPx: 32, heightPx: 32 },
});
await trainer.start(spec, 'limited');
for await (const _event of trainer.watch('limited', 1, new AbortController().signal)) {
  // to its end
}
await trainer.close();
