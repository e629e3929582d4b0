/** For what other threads write just now: the last line of the log above all, which nobody else would. */
const lastWritesMs = 200;

/**
 * Ends the process while a thread is within a native call: Node.js would wait for that thread,
 * perhaps for ever, and ONNX Runtime abort when it comes back. A process that is replaced by
 * another loses its threads wherever they are, so one that ends at once takes its place; where
 * that is not to be had, SIGKILL ends it.
 */
export function endByForce(code: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lastWritesMs);
  const { execve } = process as NodeJS.Process & Replaceable; // the types are of an older one
  if (execve && process.platform !== 'win32') {
    // Options for this process are none for the next.
    const env = { ...process.env, NODE_OPTIONS: '' };
    execve.call(process, process.execPath, [process.execPath, '-e', `process.exit(${code})`], env);
  }
  process.kill(process.pid, 'SIGKILL');
}

/** Of Node.js 22.15 and newer, not on Windows. */
interface Replaceable {
  execve?(file: string, args: readonly string[], env: NodeJS.ProcessEnv): never;
}
