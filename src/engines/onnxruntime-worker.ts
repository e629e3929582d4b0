// The thread that ONNX Runtime runs on: sessions live here, because `run` blocks its thread.
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { DomainError } from '../errors.js';
import { takeRawPixels, toHalfPrecision } from '../graph/index.js';
import { inputShapeOf } from './check-input.js';
import { distanceOutput, findModelFaults, type PortDescription } from './check-model.js';
import type { GraphSpec, SessionSpec } from './engine.js';
import type { GraphTensor } from './graph-runner.js';
import { fromTensor, toTensor } from './onnxruntime-tensors.js';
import { openAtPlace, type Place, type Placed } from './places.js';
import { probeDevice } from './probe-device.js';
import { toSentence } from './to-sentence.js';
import type { RuntimeSettings } from './worker-messages.js';
import { ModelFault, serveWorker, type WorkerAnswer } from './worker-server.js';

const port = parentPort;
if (!port) throw new Error('bug: the engine worker was not started as a worker');
const settings = workerData as RuntimeSettings; // set by the only one who starts it
// On Linux 0 is this thread and those that the runtime starts from it; elsewhere it would be
// the whole process.
if (process.platform === 'linux' && settings.niceness > 0) setPriority(0, settings.niceness);
const sessions = new Map<number, { session: InferenceSession; spec: SessionSpec }>();
const graphs = new Map<number, InferenceSession>();

/** Options of a session at a place of the device. */
function optionsAt({ config, ...options }: Place['options']): InferenceSession.SessionOptions {
  const intraOp = { intra_op: { allow_spinning: settings.spinning ? '1' : '0' } };
  return {
    ...options,
    graphOptimizationLevel: 'all',
    intraOpNumThreads: settings.threads,
    interOpNumThreads: 1,
    extra: { session: { ...intraOp, ...config } },
  };
}

/** The bytes to be loaded. Throws `ModelFault` where they cannot be had in that precision. */
function inPrecision({ model, precision = 'full' }: SessionSpec): Uint8Array {
  if (precision === 'full') return model;
  try {
    return toHalfPrecision(model);
  } catch (cause) {
    const reason = cause instanceof DomainError ? cause.message : 'it is no ONNX model';
    throw new ModelFault(`no half precision: ${reason}`, { cause });
  }
}

/** The bytes to be loaded. Throws `ModelFault` where raw planes cannot be brought to size in them. */
function behindPlanes(model: Uint8Array, { raw, inputShape }: SessionSpec): Uint8Array {
  if (!raw) return model;
  try {
    return takeRawPixels(model, raw, inputShape);
  } catch (cause) {
    throw new ModelFault(DomainError.from(cause).message, { cause });
  }
}

/** Loads a model; returns where it came to lie. */
async function load(sessionId: number, spec: SessionSpec): Promise<Placed<InferenceSession>> {
  const model = behindPlanes(inPrecision(spec), spec);
  const placed = await openAtPlace(settings.device, (options) =>
    InferenceSession.create(model, optionsAt(options)),
  ).catch((cause: unknown) => {
    throw new ModelFault(`the runtime refused the model: ${toSentence(cause)}`, { cause });
  });
  const session = placed.opened;
  const faults = findModelFaults(
    session.inputMetadata.map(describe),
    session.outputMetadata.map(describe),
    spec,
  );
  if (faults.length > 0) {
    await session.release();
    throw new ModelFault(faults.join('; '));
  }
  // The bytes are in the session now.
  sessions.set(sessionId, { session, spec: { ...spec, model: new Uint8Array(0) } });
  return placed;
}

async function run(sessionId: number, input: Uint8Array, batchSize: number): Promise<WorkerAnswer> {
  const loaded = sessions.get(sessionId);
  if (!loaded) throw new Error(`bug: session ${sessionId} is not loaded`);
  const { session, spec } = loaded;
  const [inputName = ''] = session.inputNames;
  const { hasDistance = false } = spec;
  const [outputName = ''] = session.outputNames.filter(
    (name) => name !== distanceOutput || !hasDistance,
  );
  const shape = [batchSize, ...inputShapeOf(spec)];
  const feeds = {
    [inputName]:
      spec.raw?.pixelType === 'uint16'
        ? new Tensor('uint16', new Uint16Array(input.buffer, input.byteOffset), shape)
        : new Tensor('uint8', input, shape),
  };
  const outputs = await session.run(feeds).catch(refuseRun);
  const values = outputs[outputName]?.data;
  const expected = batchSize * spec.labelCount;
  if (!(values instanceof Float32Array) || values.length !== expected) {
    throw new ModelFault(`expected ${expected} probabilities as float32, got ${values?.length}`);
  }
  const distances = hasDistance ? outputs[distanceOutput]?.data : undefined;
  if (hasDistance && !(distances instanceof Float32Array && distances.length === batchSize)) {
    throw new ModelFault(`expected ${batchSize} distances as float32, got ${distances?.length}`);
  }
  // The runtime's own memory is not to be transferred.
  return {
    probabilities: new Float32Array(values),
    distances: distances instanceof Float32Array ? new Float32Array(distances) : undefined,
  };
}

function refuseRun(cause: unknown): never {
  throw new ModelFault(`the runtime failed to run the model: ${toSentence(cause)}`, { cause });
}

async function loadGraph(sessionId: number, { model, files }: GraphSpec): Promise<string | null> {
  const externalData = Object.entries(files).map(([path, data]) => ({ path, data }));
  const { opened, note } = await openAtPlace(settings.device, (options) =>
    InferenceSession.create(model, { ...optionsAt(options), externalData }),
  ).catch((cause: unknown) => {
    throw new ModelFault(`the runtime refused the graph: ${toSentence(cause)}`, { cause });
  });
  graphs.set(sessionId, opened);
  return note || null;
}

async function runGraph(sessionId: number, inputs: Readonly<Record<string, GraphTensor>>) {
  const session = graphs.get(sessionId);
  if (!session) throw new Error(`bug: graph ${sessionId} is not loaded`);
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, tensor]) => [name, toTensor(tensor)]),
  );
  const outputs = await session.run(feeds).catch(refuseRun);
  return Object.fromEntries(
    Object.entries(outputs).map(([name, tensor]) => [name, fromTensor(name, tensor)]),
  );
}

function describe(metadata: InferenceSession.ValueMetadata): PortDescription {
  const { name } = metadata;
  if (!metadata.isTensor) return { name, type: 'no tensor', shape: [] };
  return { name, type: metadata.type, shape: metadata.shape };
}

serveWorker(port, settings.gate, {
  async hello() {
    if (settings.device === 'cpu') return null;
    await probeDevice(settings.device).catch((cause: unknown) => {
      throw new ModelFault(DomainError.from(cause).message, { cause });
    });
    return null;
  },
  async load(sessionId, spec) {
    const { place, note } = await load(sessionId, spec);
    return {
      device: `onnxruntime/${place}`,
      precision: spec.precision ?? 'full',
      warning: note || null,
    };
  },
  run,
  async unload(sessionId) {
    await sessions.get(sessionId)?.session.release();
    await graphs.get(sessionId)?.release();
    sessions.delete(sessionId);
    graphs.delete(sessionId);
  },
  graphs: { load: loadGraph, run: runGraph },
});
