import { gateSlots } from './worker-messages.js';

/** How long the end of the process waits for the runs that go on. */
const longestWaitMs = 5000;
const gates = new Set<Int32Array<SharedArrayBuffer>>();

/**
 * Makes `process.exit` wait for the run of this worker, up to 5 s, and lets it begin no
 * other: the end of the process ends threads by force, which aborts it during a run. One that
 * was abandoned is not waited for. Returns what takes this back. One listener for all workers.
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

/** Of Node.js 22.15 and newer, not on Windows. */
interface Replaceable {
  execve?(file: string, args: readonly string[], env: NodeJS.ProcessEnv): never;
}

/**
 * Ends the process while a thread is within a native call: Node.js would wait for that thread,
 * perhaps for ever, and ONNX Runtime abort when it comes back. A process that is replaced by
 * another loses its threads wherever they are, so one that ends at once takes its place; where
 * that is not to be had, SIGKILL ends it.
 */
function endByForce(code: number): void {
  const { execve } = process as NodeJS.Process & Replaceable; // the types are of an older one
  if (execve && process.platform !== 'win32') {
    // Options for this process are none for the next.
    const env = { ...process.env, NODE_OPTIONS: '' };
    execve.call(process, process.execPath, [process.execPath, '-e', `process.exit(${code})`], env);
  }
  process.kill(process.pid, 'SIGKILL');
}
