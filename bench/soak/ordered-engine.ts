import type { Engine } from '../../src/engines/index.js';

/** What such an engine may be told. */
export type ServerOrder =
  | { readonly kind: 'stall'; readonly forMs: number }
  | { readonly kind: 'throw' | 'exit' | 'hang' };

/** An engine and what it does when it is told to. */
export interface OrderedEngine {
  readonly engine: Engine;
  obey(order: ServerOrder): void;
}
