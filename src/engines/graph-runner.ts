/** A tensor by name: the element type, the shape and the values in row-major order. */
export type GraphTensor =
  | { readonly type: 'float32'; readonly shape: readonly number[]; readonly values: Float32Array }
  | { readonly type: 'uint8'; readonly shape: readonly number[]; readonly values: Uint8Array }
  | { readonly type: 'int64'; readonly shape: readonly number[]; readonly values: BigInt64Array };

/** Runs any graph by the names of its inputs and outputs, on the calling thread. */
export interface GraphRunner {
  /** "onnxruntime/cuda+cpu": the runtime, the device, and what else runs parts of the graph. */
  readonly device: string;
  /** Why not elsewhere, or not wholly there; empty where there is nothing to say. */
  readonly note: string;
  /**
   * Blocks the calling thread while it runs: use it in a process of its own.
   *
   * An output named in `into` is written into that tensor's own values and returned as
   * the same object: nothing is allocated for it. Never give a tensor that is also an
   * input of the same run.
   */
  run(
    inputs: Readonly<Record<string, GraphTensor>>,
    into?: Readonly<Record<string, GraphTensor>>,
  ): Promise<Readonly<Record<string, GraphTensor>>>;
  close(): Promise<void>;
}
