import { closeSync, openSync, readSync } from 'node:fs';

/** Tells how long the first thread of a process has stood ready without a core. */
export interface RunQueue {
  /** Milliseconds since it started; 0 where the system does not tell (it is Linux that does). */
  waitedMs(): number;
  close(): void;
}

/** Reads `/proc/PID/task/PID/schedstat`: nanoseconds on a core, nanoseconds ready for one, slices. */
export function openRunQueue(pid: number): RunQueue {
  const bytes = Buffer.alloc(128);
  let file: number | null = null;
  try {
    file = openSync(`/proc/${pid}/task/${pid}/schedstat`, 'r');
  } catch {} // not on this system
  return {
    waitedMs() {
      if (file === null) return 0;
      try {
        const length = readSync(file, bytes, 0, bytes.length, 0);
        return Number(bytes.toString('latin1', 0, length).split(' ')[1]) / 1e6;
      } catch {
        return 0; // the process has ended
      }
    },
    close() {
      if (file !== null) closeSync(file);
      file = null;
    },
  };
}
