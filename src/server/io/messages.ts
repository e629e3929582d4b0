import type { Config } from '../../config.js';
import type { Serving } from '../../rpc/index.js';

/** What an I/O process is started with. */
export interface IoOptions {
  readonly config: Config;
  /** "127.0.0.1:PORT": the process that holds the engine. */
  readonly target: string;
}

/** From the process that holds the engine to an I/O process. */
export type IoRequest =
  /** What health is told there, to be told here too; the first of all, and again at each change. */
  | { readonly kind: 'serving'; readonly serving: Serving }
  /** Finish what is open within the grace period, then end. */
  | { readonly kind: 'drain'; readonly graceMs: number }
  | { readonly kind: 'metrics'; readonly id: number };

/** From an I/O process to the one that holds the engine. */
export type IoReply =
  | { readonly kind: 'listening'; readonly port: number }
  /** It cannot start; why. */
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  /** As prom-client exports them. */
  | { readonly kind: 'metrics'; readonly id: number; readonly metrics: readonly object[] };
