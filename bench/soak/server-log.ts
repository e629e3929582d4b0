import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { count } from './tally.js';

/** What a server says of itself in its log: the other side of the account. */
export interface ServerLog {
  /** Frames that were admitted, in the streams that are over. */
  readonly admitted: number;
  /** Those frames by how they ended; `cancelled` where the client had left. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** Calls that are over, by method. */
  readonly calls: ReadonlyMap<string, number>;
  /** Lines of level "error" and above, the first hundred. */
  readonly errors: readonly string[];
  /** How often a line with this message came. */
  times(message: string): number;
  /** What the server itself says its shutdown took; null before its last line. */
  readonly shutdownMs: number | null;
  /** Resolves when it holds, looked at with every line; rejects when the log ends before. */
  until(holds: (log: ServerLog) => boolean, what: string): Promise<void>;
}

interface Line {
  readonly level?: number;
  readonly msg?: string;
  readonly method?: string;
  readonly frames?: number;
  readonly outcomes?: Readonly<Record<string, number>>;
  readonly code?: string;
  readonly ms?: number;
}

const errorLevel = 50;
/** What `serve` tells a person when it is stopped. */
const toldByServe = /^(draining after SIG|drained$|$)/;

/** Reads the log of a server from its standard error as it comes. */
export function readServerLog(stderr: Readable): ServerLog {
  const outcomes = new Map<string, number>();
  const calls = new Map<string, number>();
  const messages = new Map<string, number>();
  const errors: string[] = [];
  const waiting = new Set<() => void>();
  let admitted = 0;
  let shutdownMs: number | null = null;
  let isOver = false;
  const lookAgain = () => {
    for (const look of [...waiting]) look();
  };
  const lines = createInterface({ input: stderr });
  lines.on('line', (text) => {
    const line = parse(text);
    if (line === null) {
      // No line of the log: a warning of Node, or a crash.
      if (errors.length < 100 && !toldByServe.test(text)) errors.push(text);
      return;
    }
    count(messages, line.msg ?? '');
    if (line.msg === 'the server has shut down') shutdownMs = line.ms ?? null;
    if (line.method !== undefined) count(calls, line.method);
    if (line.frames !== undefined) {
      admitted += line.frames;
      for (const [outcome, frames] of Object.entries(line.outcomes ?? {})) {
        count(outcomes, outcome, frames);
      }
    }
    if ((line.level ?? 0) >= errorLevel && errors.length < 100) errors.push(text);
    lookAgain();
  });
  lines.on('close', () => {
    isOver = true;
    lookAgain();
  });
  const log: ServerLog = {
    get admitted() {
      return admitted;
    },
    outcomes,
    calls,
    errors,
    times: (message) => messages.get(message) ?? 0,
    get shutdownMs() {
      return shutdownMs;
    },
    until: (holds, what) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!holds(log) && !isOver) return;
          waiting.delete(look);
          if (holds(log)) resolve();
          else reject(new Error(`the server ended before ${what}`));
        };
        waiting.add(look);
        look();
      }),
  };
  return log;
}

function parse(text: string): Line | null {
  if (!text.startsWith('{')) return null;
  try {
    return JSON.parse(text) as Line; // pino's, with the fields that our rooms give it
  } catch {
    return null;
  }
}
