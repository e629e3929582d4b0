import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { DomainError } from '../errors.js';
import { type DeviceName, setDeviceEnvironment } from './devices.js';
import type { GraphRunner, GraphTensor } from './graph-runner.js';
import { fromTensor, toTensor } from './onnxruntime-tensors.js';
import { openAtPlace } from './places.js';
import { toSentence } from './to-sentence.js';

/** How ONNX Runtime runs a graph. */
export interface OnnxGraphRunnerOptions {
  /** Where it runs; what the device lacks runs on the CPU, and is told. @default 'cpu' */
  readonly device?: DeviceName;
  /** Threads within one operator. @default 0, which is one a core */
  readonly threads?: number;
  /** The files that the graph keeps weights in, by the names that it calls them. @default none */
  readonly files?: Readonly<Record<string, Uint8Array>>;
}

/**
 * Loads any ONNX model, to be run by the names of its inputs and outputs.
 *
 * Throws `model_failed` when the runtime refuses the model; `run` throws
 * `option_invalid` for inputs that do not fit it and `model_failed` for the rest.
 */
export async function createOnnxGraphRunner(
  model: Uint8Array,
  { device = 'cpu', threads = 0, files = {} }: OnnxGraphRunnerOptions = {},
): Promise<GraphRunner> {
  setDeviceEnvironment(device);
  const placed = await openAtPlace(device, ({ config, ...options }) =>
    InferenceSession.create(model, {
      ...options,
      intraOpNumThreads: threads,
      graphOptimizationLevel: 'all',
      // Planning all memory in one block keeps what the first run allocated as well: it
      // costs a training step half as much memory again, and no time without it.
      enableMemPattern: false,
      extra: { session: config },
      externalData: Object.entries(files).map(([path, data]) => ({ path, data })),
    }),
  ).catch((cause: unknown) => {
    const message = `the runtime refused the graph: ${toSentence(cause)}`;
    throw new DomainError('model_failed', message, { cause });
  });
  const session = placed.opened;
  return {
    device: `onnxruntime/${placed.place}`,
    note: placed.note,
    async run(inputs, into = {}) {
      assertNames('inputs', inputs, session.inputNames);
      assertNames('outputs', into, session.outputNames, false);
      const feeds: Record<string, Tensor> = {};
      for (const [name, tensor] of Object.entries(inputs)) feeds[name] = toTensor(tensor);
      const fetches: Record<string, Tensor | null> = {};
      for (const name of session.outputNames) {
        const given = into[name];
        fetches[name] = given ? toTensor(given) : null;
      }
      const results = await session.run(feeds, fetches).catch((cause: unknown) => {
        const message = `the runtime failed to run the graph: ${toSentence(cause)}`;
        throw new DomainError('model_failed', message, { cause });
      });
      const outputs: Record<string, GraphTensor> = {};
      for (const [name, result] of Object.entries(results)) {
        outputs[name] = into[name] ?? fromTensor(name, result);
      }
      return outputs;
    },
    async close() {
      await session.release();
    },
  };
}

function assertNames(
  what: 'inputs' | 'outputs',
  given: Readonly<Record<string, unknown>>,
  names: readonly string[],
  isWhole = true,
): void {
  const faults = [
    ...names.filter((name) => isWhole && !(name in given)).map((name) => `${name} is missing`),
    ...Object.keys(given)
      .filter((name) => !names.includes(name))
      .map((name) => `${name} is unknown`),
  ];
  if (faults.length === 0) return;
  throw new DomainError('option_invalid', `expected the graph's ${what}: ${faults.join(', ')}`);
}
