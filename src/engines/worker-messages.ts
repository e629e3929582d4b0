import type { DeviceName } from './devices.js';
import type { GraphSpec, Precision, SessionSpec } from './engine.js';
import type { GraphTensor } from './graph-runner.js';

/** How ONNX Runtime is set up in the worker. */
export interface RuntimeSettings {
  readonly device: DeviceName;
  /** Threads within one operator; 0 lets the runtime take one a core. */
  readonly threads: number;
  /** Whether idle threads of the runtime spin for work instead of sleeping. */
  readonly spinning: boolean;
  /** How far the thread steps back for others, on Linux; 0 to 19. */
  readonly niceness: number;
  /** Shared with the worker; see `gateSlots`. */
  readonly gate: Int32Array<SharedArrayBuffer>;
}

/**
 * What the two threads tell each other past the queue of messages: the worker that it is
 * within a run (1), and the main thread that no further run may begin (1).
 */
export const gateSlots = { running: 0, stopped: 1 } as const;

/** What the worker is asked; it answers each in the order they came. */
export type WorkerRequest =
  /** Answered once the runtime is there and the device has computed something. */
  | { readonly kind: 'hello'; readonly id: number }
  | {
      readonly kind: 'load';
      readonly id: number;
      readonly sessionId: number;
      readonly spec: SessionSpec;
    }
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly sessionId: number;
      /** Transferred, and handed back with the answer. */
      readonly input: Uint8Array;
      readonly batchSize: number;
    }
  | {
      readonly kind: 'loadGraph';
      readonly id: number;
      readonly sessionId: number;
      readonly graph: GraphSpec;
    }
  | {
      readonly kind: 'runGraph';
      readonly id: number;
      readonly sessionId: number;
      readonly inputs: Readonly<Record<string, GraphTensor>>;
    }
  | { readonly kind: 'unload'; readonly id: number; readonly sessionId: number }
  | { readonly kind: 'close'; readonly id: number };

/** What the worker answers; `fault` is a sentence for the caller, `detail` one for the log. */
export type WorkerReply =
  /** `note` says where a runtime was found, or what of a graph runs elsewhere, for the log. */
  | { readonly id: number; readonly kind: 'done'; readonly note?: string }
  | {
      readonly id: number;
      readonly kind: 'loaded';
      /** "onnxruntime/cuda": runtime and device. */
      readonly device: string;
      readonly precision: Precision;
      /** What an operator should know of how it runs: parts beside the device; null if nothing. */
      readonly warning: string | null;
    }
  | {
      readonly id: number;
      readonly kind: 'ran';
      readonly probabilities: Float32Array<ArrayBuffer>;
      readonly distances?: Float32Array<ArrayBuffer> | undefined;
      readonly input: Uint8Array;
      readonly runMs: number;
    }
  | {
      readonly id: number;
      readonly kind: 'graphRan';
      readonly outputs: Readonly<Record<string, GraphTensor>>;
      readonly runMs: number;
    }
  | {
      readonly id: number;
      readonly kind: 'fault';
      readonly code: 'model_failed' | 'internal';
      readonly fault: string;
      readonly detail: string;
    };
