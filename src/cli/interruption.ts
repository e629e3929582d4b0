/** What Ctrl-C means while a verb works. */
export interface Interruption extends Disposable {
  /** Aborted at the first Ctrl-C, SIGTERM or SIGHUP, with `AbortError` as its reason. */
  readonly signal: AbortSignal;
  /** The signal that came, if one did. */
  readonly received: NodeJS.Signals | null;
}

/** Exit codes of the shell for a process that a signal ended. */
export const interruptedExitCode = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * One Ctrl-C in a terminal reaches the whole group of processes, and npm, in which
 * `npm run` started us, passes it on once more.
 */
const echoMs = 400;

/**
 * Takes SIGINT, SIGTERM and SIGHUP (the terminal was closed) over until disposed. The first
 * calls `onFirst` and aborts; another, a moment later, leaves at once with the shell's exit
 * code for it.
 */
export function createInterruption(onFirst?: (signal: NodeJS.Signals) => void): Interruption {
  const controller = new AbortController();
  let received: NodeJS.Signals | null = null;
  let receivedAtMs = 0;
  const handle = (signal: (typeof signals)[number]) => {
    if (received !== null) {
      if (performance.now() - receivedAtMs > echoMs) process.exit(interruptedExitCode[signal]);
      return;
    }
    received = signal;
    receivedAtMs = performance.now();
    onFirst?.(signal);
    controller.abort(new DOMException(`stopped by ${signal}`, 'AbortError'));
  };
  for (const signal of signals) process.on(signal, handle);
  return {
    signal: controller.signal,
    get received() {
      return received;
    },
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, handle);
    },
  };
}
