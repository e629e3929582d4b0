import type { Writable } from 'node:stream';
import { columnsOf } from './fit-line.js';
import { createInterruption, type Interruption } from './interruption.js';
import { createProgress, type Progress, type ProgressOptions } from './progress.js';

/** Where a verb writes, and how it hears of Ctrl-C. */
export interface Terminal {
  /** Writes one line to standard output: what a script would read. */
  print(line: string): void;
  /** Writes one line to standard error: what a person would read. */
  note(line: string): void;
  /** Starts a progress bar on standard error; plain lines where that is no terminal. */
  progress(options: ProgressOptions): Progress;
  /**
   * Takes Ctrl-C and SIGTERM over from here on: the first tells the verb, the
   * second ends the process at once.
   */
  interruption(onFirst?: (signal: NodeJS.Signals) => void): Interruption;
  /** Whether standard output is a terminal that a table may be redrawn on. */
  readonly isInteractive: boolean;
  /** Columns of the terminal as it is now; 80 where it has none. */
  readonly columns: number;
}

/** How wide a table may be: as the terminal; without bound in a file or a pipe. */
export function widthOf({ isInteractive, columns }: Terminal): { readonly columns?: number } {
  return isInteractive ? { columns } : {};
}

export interface TerminalStreams {
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
}

/**
 * The terminal of this process. A reader that goes away (`| head`) ends the
 * process quietly with exit code 0, as it does for other filters.
 */
export function createTerminal({ stdout, stderr }: TerminalStreams): Terminal {
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0);
      throw error;
    });
  }
  // A bar that is being drawn: other lines go above it, never through it.
  let bar: Progress | null = null;
  return {
    print: (line) => {
      // On one screen both streams share the line that the bar is on.
      if (bar !== null && stdout.isTTY === true) bar.above(line);
      else stdout.write(`${line}\n`);
    },
    note: (line) => {
      if (bar !== null) bar.above(line);
      else stderr.write(`${line}\n`);
    },
    progress: (options) => {
      bar?.end();
      const started = createProgress(options, {
        stream: stderr,
        onEnd: () => {
          if (bar === started) bar = null;
        },
      });
      bar = started;
      return started;
    },
    interruption: (onFirst) => createInterruption(onFirst),
    isInteractive: stdout.isTTY === true,
    get columns() {
      return columnsOf(stdout);
    },
  };
}
