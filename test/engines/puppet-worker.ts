// The thread of a PuppetEngine: the fake model behind the real protocol, with faults to order.
import { parentPort, workerData } from 'node:worker_threads';
import type { SessionSpec } from '../../src/engines/engine.js';
import { fakeProbabilities } from '../../src/engines/fake-engine.js';
import { ModelFault, serveWorker } from '../../src/engines/worker-server.js';

/** Where the words of a puppet's shared memory are; all are 0 at first. */
export const words = {
  /** Order: the version whose loads are refused; 0: none. */
  refused: 0,
  /** Order: how many of the next runs answer otherwise. */
  wrongRuns: 1,
  /** Order: 1 when models come to another device, with a warning. */
  elsewhere: 2,
  /** Seen: models that are loaded in this worker. */
  loaded: 3,
  /** Seen: rows that were run, by all workers. */
  rows: 4,
} as const;

if (parentPort) {
  // Set by puppet-engine.ts, the only one who starts it.
  const { gate, memory } = workerData as {
    gate: Int32Array<SharedArrayBuffer>;
    memory: Int32Array<SharedArrayBuffer>;
  };
  const sessions = new Map<number, SessionSpec>();
  const count = () => Atomics.store(memory, words.loaded, sessions.size);
  count();
  serveWorker(parentPort, gate, {
    hello: async () => null,
    async load(sessionId, spec) {
      const refused = Atomics.load(memory, words.refused);
      if (refused > 0 && spec.version === refused) throw new ModelFault('out of memory');
      if (sessions.has(sessionId)) throw new Error(`session ${sessionId} was loaded twice`);
      sessions.set(sessionId, spec);
      count();
      const isElsewhere = Atomics.load(memory, words.elsewhere) === 1;
      return {
        device: isElsewhere ? 'puppet/gpu+cpu' : 'puppet/gpu',
        precision: 'full',
        warning: isElsewhere ? 'parts of it run on cpu' : null,
      };
    },
    async run(sessionId, input, batchSize) {
      const spec = sessions.get(sessionId);
      if (!spec) throw new Error(`session ${sessionId} is not loaded`);
      Atomics.add(memory, words.rows, batchSize);
      const rowBytes = input.byteLength / batchSize;
      const probabilities = new Float32Array(batchSize * spec.labelCount);
      for (let row = 0; row < batchSize; row += 1) {
        const pixels = input.subarray(row * rowBytes, (row + 1) * rowBytes);
        probabilities.set(fakeProbabilities(pixels, spec.labelCount), row * spec.labelCount);
      }
      const wrongRuns = Atomics.load(memory, words.wrongRuns);
      if (wrongRuns > 0) {
        Atomics.store(memory, words.wrongRuns, wrongRuns - 1);
        probabilities.reverse();
      }
      return { probabilities };
    },
    async unload(sessionId) {
      sessions.delete(sessionId);
      count();
    },
  });
}
