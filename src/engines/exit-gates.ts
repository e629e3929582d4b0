import { gateSlots } from './worker-messages.js';

/** How long the end of the process waits for a run. */
const longestWaitMs = 5000;
const gates = new Set<Int32Array<SharedArrayBuffer>>();

/**
 * Makes `process.exit` wait for the run of this worker, up to 5 s, and lets it begin no
 * other: the end of the process ends threads by force, which aborts it during a run.
 * Returns what takes this back. One listener for all workers.
 */
export function holdExit(gate: Int32Array<SharedArrayBuffer>): () => void {
  if (gates.size === 0) process.on('exit', waitForRuns);
  gates.add(gate);
  return () => {
    if (gates.delete(gate) && gates.size === 0) process.off('exit', waitForRuns);
  };
}

function waitForRuns(): void {
  for (const gate of gates) Atomics.store(gate, gateSlots.stopped, 1);
  for (const gate of gates) Atomics.wait(gate, gateSlots.running, 1, longestWaitMs);
}
