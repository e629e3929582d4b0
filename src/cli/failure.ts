import { CommanderError } from '@commander-js/extra-typings';
import { DomainError, type ErrorCode } from '../errors.js';

/** What is printed about a failure, and with which code the process ends. */
export interface Failure {
  /** Without the leading "cytostream: "; null when all has been said already. */
  readonly message: string | null;
  /** 0 after `--help` and `--version`, 2 for a mistake in the command, 130 after Ctrl-C, else 1. */
  readonly exitCode: number;
}

/** A mistake in how the command was written, found after its options were read. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Ends the verb with a code of its own choice, everything having been said. */
export class Exit extends Error {
  override readonly name = 'Exit';
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`exit with ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** One line about anything that a verb threw; a stack only where one was asked for. */
export function describeFailure(thrown: unknown, { verbose }: { verbose: boolean }): Failure {
  if (thrown instanceof Exit) return { message: null, exitCode: thrown.exitCode };
  if (thrown instanceof CommanderError) {
    // Commander has printed its own line through the same writer.
    return { message: null, exitCode: thrown.exitCode === 0 ? 0 : 2 };
  }
  if (thrown instanceof UsageError) return { message: thrown.message, exitCode: 2 };
  const exitCode = isAbort(thrown) ? 130 : 1;
  if (verbose) return { message: stackOf(thrown), exitCode };
  return { message: oneLine(messageOf(thrown)), exitCode };
}

function isAbort(thrown: unknown): boolean {
  if (thrown instanceof DomainError) return thrown.code === 'cancelled';
  return thrown instanceof Error && thrown.name === 'AbortError';
}

/**
 * On the command line the person at the screen owns the machine: a cause that a
 * server would only log is told here.
 */
function messageOf(thrown: unknown): string {
  if (isAbort(thrown)) return 'interrupted';
  if (!(thrown instanceof Error)) return String(thrown);
  if (thrown instanceof DomainError && thrown.code === 'internal' && thrown.cause !== undefined) {
    return `${messageOf(thrown.cause)} (unexpected; run again with --verbose for where it happened)`;
  }
  const refused = /^No connection established\..*ECONNREFUSED ([^\s.]\S*[^\s.])/.exec(
    thrown.message,
  );
  if (refused !== null) {
    return `no server answers at ${refused[1]}; start one with: npx cytostream serve`;
  }
  const next = thrown instanceof DomainError ? nextSteps[thrown.code] : undefined;
  if (next !== undefined) return `${thrown.message}; ${next}`;
  const { code, path } = thrown as NodeJS.ErrnoException;
  if (code === 'ENOENT' && path !== undefined) return `there is no "${path}"`;
  if (code === 'EISDIR')
    return `expected a file, got a folder${path === undefined ? '' : ` "${path}"`}`;
  const hint = typeof code === 'string' ? hints[code] : undefined;
  return hint === undefined ? thrown.message : `${thrown.message}: ${hint}`;
}

/** What to do about a failure that does not say it itself. */
const nextSteps: Readonly<Partial<Record<ErrorCode, string>>> = {
  run_unknown: 'see which there are with: npx cytostream runs list',
};

const hints: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
  EACCES: 'this user may not do that there',
  EADDRINUSE: 'choose another with --port or stop what listens there',
};

function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const own = thrown.stack ?? thrown.message;
  return thrown.cause === undefined ? own : `${own}\ncaused by ${stackOf(thrown.cause)}`;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, '; ').trim();
}
