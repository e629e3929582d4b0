// The thread that TensorFlow runs on: its calls block the thread that makes them.
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { LayersModel } from '@tensorflow/tfjs';
import { DomainError } from '../errors.js';
import { planNetwork } from '../graph/index.js';
import { readOnnx, toLayersModel } from '../interchange/index.js';
import type { SessionSpec } from './engine.js';
import {
  loadTensorflow,
  type TensorflowRuntime,
  type TensorflowRuntimeOptions,
} from './tensorflow-runtime.js';
import type { RuntimeSettings } from './worker-messages.js';
import { ModelFault, serveWorker } from './worker-server.js';

const port = parentPort;
if (!port) throw new Error('bug: the engine worker was not started as a worker');
const settings = workerData as TensorflowSettings; // set by the only one who starts it
if (process.platform === 'linux' && settings.niceness > 0) setPriority(0, settings.niceness);

/** How TensorFlow is set up in the worker. */
export interface TensorflowSettings
  extends Pick<RuntimeSettings, 'niceness' | 'gate'>,
    Required<TensorflowRuntimeOptions> {}

interface Loaded {
  readonly model: LayersModel;
  readonly spec: SessionSpec;
}

const sessions = new Map<number, Loaded>();
let found: TensorflowRuntime | null = null;

function runtime(): TensorflowRuntime {
  if (found) return found;
  throw new Error('bug: TensorFlow was asked before it was started');
}

serveWorker(port, settings.gate, {
  async hello() {
    found = await loadTensorflow(settings).catch((cause: unknown) => {
      throw new ModelFault(DomainError.from(cause).message, { cause });
    });
    const { device, steppedDown } = found;
    return `tensorflow/${device}${steppedDown.length > 0 ? ` (${steppedDown.join('; ')})` : ''}`;
  },
  async load(sessionId, spec) {
    const { tf, device } = runtime();
    const model = await tf.loadLayersModel(tf.io.fromMemory(artifactsOf(spec)));
    sessions.set(sessionId, { model, spec: { ...spec, model: new Uint8Array(0) } });
    const isOwn = device !== 'gpu' && device !== 'cpu';
    const warnings = [
      ...(isOwn ? ['no native TensorFlow is installed: answers are slow'] : []),
      ...(spec.hasDistance ? ['distances from the training set are not told'] : []),
    ];
    const precision = 'full';
    return { device: `tensorflow/${device}`, precision, warning: warnings.join('; ') || null };
  },
  async run(sessionId, input, batchSize) {
    const { tf } = runtime();
    const loaded = sessions.get(sessionId);
    if (!loaded) throw new Error(`bug: session ${sessionId} is not loaded`);
    const { model, spec } = loaded;
    const answer = tf.tidy(() => {
      const planes = tf.tensor(input, [batchSize, ...spec.inputShape], 'int32');
      // Channels come last: the CPU has no convolution of the other order.
      return model.predictOnBatch(planes.toFloat().transpose([0, 2, 3, 1]));
    });
    const [output] = [answer].flat();
    try {
      const values = await output?.data<'float32'>();
      const expected = batchSize * spec.labelCount;
      if (values?.length !== expected) {
        throw new ModelFault(`expected ${expected} probabilities, got ${values?.length}`);
      }
      // Some backends hand out their own memory.
      return { probabilities: new Float32Array(values) };
    } finally {
      output?.dispose();
    }
  },
  async unload(sessionId) {
    sessions.get(sessionId)?.model.dispose();
    sessions.delete(sessionId);
  },
});

/** The layers of an ONNX graph, held against what the model is to be served with. */
function artifactsOf({ model, inputShape, labelCount }: SessionSpec) {
  let read: ReturnType<typeof readOnnx>;
  try {
    read = readOnnx(model);
  } catch (cause) {
    throw new ModelFault(`the runtime refused the model: ${DomainError.from(cause).message}`, {
      cause,
    });
  }
  const { network } = read;
  if (`${network.inputShape}` !== `${inputShape}`) {
    throw new ModelFault(
      `expected input "pixels" to be uint8 [N, ${inputShape.join(', ')}] with a free N, got uint8 [N, ${network.inputShape.join(', ')}]`,
    );
  }
  const labels = planNetwork(network).labelCount;
  if (labels !== labelCount) {
    throw new ModelFault(
      `expected output "probabilities" to be float32 [N, ${labelCount}] with a free N, got float32 [N, ${labels}]`,
    );
  }
  const { modelTopology, weightSpecs, weightData } = toLayersModel(read);
  return { modelTopology, weightSpecs: [...weightSpecs], weightData: weightData.buffer };
}
