import { endByForce } from './end-by-force.js';
import { gateSlots } from './worker-messages.js';

/** How long the end of the process waits for the runs that go on. */
const longestWaitMs = 5000;
const gates = new Set<Int32Array<SharedArrayBuffer>>();

/**
 * Makes `process.exit` wait for the run of this worker, up to 5 s, and lets it begin no
 * other: the end of the process ends threads by force, which aborts it during a run. One that
 * was abandoned is not waited for. Where a run goes on even then `endByForce` ends the process,
 * by execve or SIGKILL: later listeners do not hear of the exit. Returns what takes this back.
 * One listener for all workers.
 */
export function holdExit(gate: Int32Array<SharedArrayBuffer>): () => void {
  if (gates.size === 0) process.on('exit', waitForRuns);
  gates.add(gate);
  return () => {
    if (gates.delete(gate) && gates.size === 0) process.off('exit', waitForRuns);
  };
}

function waitForRuns(code: number): void {
  const untilMs = performance.now() + longestWaitMs;
  const awaited = [...gates].filter((gate) => Atomics.load(gate, gateSlots.stopped) === 0);
  for (const gate of awaited) Atomics.store(gate, gateSlots.stopped, 1);
  for (const gate of awaited) {
    Atomics.wait(gate, gateSlots.running, 1, Math.max(0, untilMs - performance.now()));
  }
  const isRunning = [...gates].some((gate) => Atomics.load(gate, gateSlots.running) === 1);
  if (isRunning) endByForce(code);
}
