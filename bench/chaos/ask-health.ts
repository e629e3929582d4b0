import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** How a server answered `grpc.health.v1.Health/Check`, asked every 100 ms. */
export interface HealthReport {
  readonly asked: number;
  /** Answers other than SERVING, and calls that failed. */
  readonly failed: number;
  readonly medianMs: number;
  readonly longestMs: number;
  /**
   * How much of `longestMs` the server's thread or the asker's stood ready without a core:
   * what the load beside them took, on the same few cores.
   */
  readonly withoutCoreMs: number;
  /** The two longest answers without such time, the longest first. */
  readonly longestOwnMs: readonly number[];
}

/** A process that asks a server for its health until it is told to end. */
export interface HealthProber {
  /** Ends the asking, and tells what was seen. */
  end(): Promise<HealthReport>;
}

/** Starts asking the server that has this process and port; resolves with the first answer. */
export async function startProber({
  pid,
  port,
}: {
  readonly pid: number;
  readonly port: number;
}): Promise<HealthProber> {
  const script = fileURLToPath(new URL('./health-process.js', import.meta.url));
  const child = fork(script, [String(port), String(pid)], { stdio: 'inherit' });
  await once(child, 'message');
  return {
    async end() {
      const told = once(child, 'message');
      child.send('end');
      const [report] = await told;
      return report as HealthReport; // its one sender is health-process.ts
    },
  };
}
