import type { RawPixels } from '../graph/index.js';
import type { GraphTensor } from './graph-runner.js';

/** What the numbers within a model are: float32, or float16 where that is safe. */
export type Precision = 'full' | 'half';

/**
 * Where raw planes of another size or type come to a model's: on the CPU (`host`), in its graph,
 * or there only where each pixel counts, in a mean (`means`): mixing four pixels costs the CPU
 * less than moving all others would.
 */
export type ResizePlace = 'host' | 'means' | 'graph';

/** What a Session is made from. */
export interface SessionSpec {
  /** An ONNX ModelProto: one input uint8 `[N, C, H, W]`, one output float32 `[N, labels]`. */
  readonly model: Uint8Array;
  /**
   * Whether it has a second output `distance`, float32 `[N]`, that is asked for. An engine that
   * cannot fetch it gives none. @default false
   */
  readonly hasDistance?: boolean;
  /** `[C, H, W]`. */
  readonly inputShape: readonly [number, number, number];
  readonly labelCount: number;
  /** What the model is called here, for an engine that finds it elsewhere by its name. */
  readonly name?: string;
  /** Its version here, for an engine that shares the models of another process. */
  readonly version?: number;
  /**
   * `half`: the engine turns the network to half precision first. What comes out is to be
   * compared by whoever loads it. @default 'full'
   */
  readonly precision?: Precision;
  /**
   * Planes that it takes as they came instead of its own input: the engine has the graph bring
   * them to size. Only for an engine that says where `resize` is. @default none
   */
  readonly raw?: RawPixels;
}

/** What one run of a Session gives. */
export interface RunResult {
  /** float32 `[batchSize, labels]`, 0..1. */
  readonly probabilities: Float32Array;
  /** float32 `[batchSize]`: how far each row is from the training set, where the spec asks for it. */
  readonly distances?: Float32Array | undefined;
  /** The input buffer handed back, so that it can be filled again. */
  readonly input: Uint8Array;
  /** Time inside the runtime, in milliseconds. */
  readonly runMs: number;
}

/**
 * How soon the rows of a batch are wanted, for an engine in which batches of others wait, too:
 * the highest priority among them, and the latest deadline, on the clock of
 * `performance.now()`, after which none is of use; `Infinity` where one has none.
 */
export interface RunWish {
  readonly priority: 'high' | 'normal' | 'low';
  readonly deadlineAtMs: number;
}

/**
 * Runs a model that was loaded again before frames are: each size, so that none pays for what is
 * built at first. Throws what is wrong with its answers.
 */
export type ReloadCheck = (run: Session['run']) => Promise<void>;

/** One model loaded in a runtime. */
export interface Session {
  /** "onnxruntime/cpu": runtime and device. */
  readonly device: string;
  /** What it computes in. */
  readonly precision: Precision;
  /** Runs that go on at the same time, from 1 up; one more waits for the first that ends. */
  readonly lanes: number;
  /** How often the model is in memory: each of them has to be warmed. */
  readonly copies: number;
  /** Whether a run would begin now: not while the runtime restarts or has the model not loaded again. */
  readonly isReady: boolean;
  /** Takes the check that is due after each such load; absent where there is none. */
  onReload?(check: ReloadCheck): void;
  /**
   * Runs one batch. `input` is uint8 `[batchSize, C, H, W]` (or the bytes of the spec's raw
   * planes) over its own whole ArrayBuffer, which is transferred: the caller gets it back in the result.
   *
   * Throws `model_failed` when the runtime refuses, `not_ready` when the engine is
   * restarting or could not load the model again; where it heeds the wish, `deadline` when that cannot be met.
   */
  run(input: Uint8Array, batchSize: number, wish?: RunWish): Promise<RunResult>;
  close(): Promise<void>;
}

/** What a GraphSession is made from. */
export interface GraphSpec {
  /** An ONNX ModelProto of any inputs and outputs. */
  readonly model: Uint8Array;
  /** The files that it keeps weights in, by the names that it calls them. */
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** A graph of any inputs and outputs, loaded in the same runtime as the models. */
export interface GraphSession {
  /**
   * Runs it between two batches of a model. Inputs are copied.
   *
   * Throws `model_failed` when the runtime refuses, `not_ready` when the engine restarts.
   */
  run(
    inputs: Readonly<Record<string, GraphTensor>>,
  ): Promise<{ readonly outputs: Readonly<Record<string, GraphTensor>>; readonly runMs: number }>;
  close(): Promise<void>;
}

/** A runtime that we can run inference graphs on. */
export interface Engine {
  readonly name: string;
  /** What models should run in where their golden frames allow it. @default 'full' */
  readonly precision?: Precision;
  /** Where raw planes should come to a model's size; absent where only the CPU can. */
  readonly resize?: ResizePlace;
  /** What models are run in where no setting says, ascending. @default 1 to 32 */
  readonly batchSizes?: readonly number[];
  /** Loads a model. Throws `model_failed` when the runtime refuses it, or its precision. */
  load(spec: SessionSpec): Promise<Session>;
  /** Loads a graph of any kind; absent where the engine runs models alone. Throws as `load`. */
  loadGraph?(spec: GraphSpec): Promise<GraphSession>;
  /** Waits for what runs. */
  close(): Promise<void>;
  /**
   * Waits for nothing: what runs is rejected with `not_ready`, its thread is left to itself, and
   * `close` has nothing left to wait for. Returns how many runs and loads had no answer. Absent
   * where no run can hang.
   */
  abandon?(): number;
}
