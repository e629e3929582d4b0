import type { ProgressOptions } from './progress.js';
import type { Terminal } from './terminal.js';

/** How work tells of itself, and how it is told to end. */
export interface Way {
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total?: number) => void;
}

/** Shows a bar while work goes on; the bar goes when the work ends, however it does. */
export async function withProgress<Result>(
  options: ProgressOptions,
  terminal: Terminal,
  work: (way: Way) => Promise<Result>,
): Promise<Result> {
  using interruption = terminal.interruption();
  const progress = terminal.progress(options);
  try {
    return await work({
      signal: interruption.signal,
      onProgress: (done, total) => {
        if (total !== undefined) progress.setTotal(total);
        progress.update(done);
      },
    });
  } finally {
    progress.end();
  }
}
