/** What Ctrl-C means while a verb works. */
export interface Interruption extends Disposable {
  /** Aborted at the first Ctrl-C or SIGTERM, with `AbortError` as its reason. */
  readonly signal: AbortSignal;
  /** The signal that came, if one did. */
  readonly received: NodeJS.Signals | null;
}

/** Exit codes of the shell for a process that a signal ended. */
export const interruptedExitCode = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Takes SIGINT and SIGTERM over until disposed. The first calls `onFirst` and
 * aborts; the second leaves at once with the shell's exit code for the signal.
 */
export function createInterruption(onFirst?: (signal: NodeJS.Signals) => void): Interruption {
  const controller = new AbortController();
  let received: NodeJS.Signals | null = null;
  const handle = (signal: 'SIGINT' | 'SIGTERM') => {
    if (received !== null) process.exit(interruptedExitCode[signal]);
    received = signal;
    onFirst?.(signal);
    controller.abort(new DOMException(`stopped by ${signal}`, 'AbortError'));
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return {
    signal: controller.signal,
    get received() {
      return received;
    },
    [Symbol.dispose]: () => {
      process.off('SIGINT', handle);
      process.off('SIGTERM', handle);
    },
  };
}
