// The worker thread of the engine, with a fault that can be set off from outside.
import { isMainThread, workerData } from 'node:worker_threads';

/** What the shared word holds; 0 is no fault. */
export const faults = { throw: 1, exit: 2, hang: 3 } as const;

if (!isMainThread) {
  const { fault } = workerData as { fault: Int32Array }; // set by breakable-engine.ts
  setInterval(() => {
    const told = Atomics.exchange(fault, 0, 0);
    if (told === faults.throw) throw new Error('this worker was told to throw');
    if (told === faults.exit) process.exit(7);
    // Deaf for good, as within a call that never returns.
    if (told === faults.hang) Atomics.wait(fault, 0, 0);
  }, 2).unref();
  await import('../../src/engines/onnxruntime-worker.js');
}
