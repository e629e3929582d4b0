import type { LayersModel, Scalar, Tensor, Tensor2D, Variable } from '@tensorflow/tfjs';
import { DomainError } from '../errors.js';
import type { Network, TrainingStep, TrainingStepOptions } from '../graph/index.js';
import { writeTopology } from '../interchange/index.js';
import type { GraphRunner, GraphTensor } from './graph-runner.js';
import { type Axes, createAxes } from './tensorflow-axes.js';
import { type LossFormula, lossFormula } from './tensorflow-losses.js';
import {
  loadTensorflow,
  prepareEnvironment,
  type Tensorflow,
  type TensorflowRuntimeOptions,
} from './tensorflow-runtime.js';
import { type Inputs, updateWeights } from './tensorflow-update.js';

/** A training step to be run in TensorFlow, and how its graph was asked for. */
export interface TensorflowStep {
  readonly network: Network;
  readonly step: Pick<TrainingStep, 'inputs' | 'outputs' | 'masks' | 'parameterNames'>;
  readonly options: TrainingStepOptions;
}

/** Where TensorFlow comes from, and the threads of its native library; 0 is one a core. */
export interface TensorflowRunnerOptions extends Pick<TensorflowRuntimeOptions, 'packages'> {
  readonly threads?: number;
}

/** A GraphRunner that says whether it is fast. */
export interface TensorflowGraphRunner extends GraphRunner {
  /** Whether it is the native library, not JavaScript. */
  readonly isNative: boolean;
}

/**
 * Runs a training step in TensorFlow: the same inputs and outputs by name as the ONNX graph
 * of `buildTrainingStep`, so that checkpoints, masks and schedules are those of any run.
 *
 * Forward pass and gradients are those of a layers model; the loss, its derivative and the
 * optimiser are the formulas of `src/graph/`. Blocks the calling thread.
 *
 * Throws `unsupported` where there is no TensorFlow or a layer has no form in it.
 */
export async function createTensorflowGraphRunner(
  { network, step, options }: TensorflowStep,
  { threads = 0, ...runtime }: TensorflowRunnerOptions = {},
): Promise<TensorflowGraphRunner> {
  prepareEnvironment(threads);
  const { tf, device, steppedDown } = await loadTensorflow({ ...runtime, canUseWasm: false });
  const modelTopology = writeTopology(network, { withSigmoid: false });
  const model = await tf.loadLayersModel(tf.io.fromMemory({ modelTopology }));
  const axes = createAxes(network);
  const loss = lossFormula(tf, options.loss ?? { kind: 'bce' });
  const learntNames = step.parameterNames.filter((name) =>
    step.outputs.some((output) => output.name === `next/${name}`),
  );
  const variables = variablesOf(model, step.parameterNames);

  const runStep = (given: Inputs): Readonly<Record<string, Tensor>> => {
    for (const [name, variable] of variables) variable.assign(axes.toLayers(name, given(name)));
    const watched = learntNames.map((name) => variables.get(name) as Variable); // one of each
    let probabilities: Tensor | undefined;
    const { value, grads } = tf.variableGrads(() => {
      const logits = forward({ tf, model, axes, step }, given);
      probabilities = tf.keep(logits.sigmoid());
      return meanLoss(tf, loss, logits, given);
    }, watched);
    const gradients = learntNames.map((name, index) =>
      axes.fromLayers(name, grads[watched[index]?.name ?? ''] as Tensor),
    );
    return {
      loss: value,
      probabilities: probabilities as Tensor, // the function above has run
      ...Object.fromEntries(
        learntNames.map((name, index) => [`gradient/${name}`, gradients[index] as Tensor]),
      ),
      ...updateWeights(tf, { names: learntNames, gradients, given }, options),
    };
  };

  return {
    device: `tensorflow/${device}`,
    note: steppedDown.join('; '),
    isNative: device === 'gpu' || device === 'cpu',
    async run(inputs, into = {}) {
      const tensors = tf.tidy(() => {
        // Made here, since what is made within the gradients' own scope ends with it.
        const made = new Map(
          step.inputs.map(({ name }) => [name, toTensor(tf, name, inputs[name])] as const),
        );
        const given: Inputs = (name) => made.get(name) as Tensor; // one of step.inputs
        const all = runStep(given);
        return Object.fromEntries(
          step.outputs.map(({ name }) => [name, all[name] as Tensor]), // the same names
        );
      });
      const outputs: Record<string, GraphTensor> = {};
      for (const [name, tensor] of Object.entries(tensors)) {
        const values = await tensor.data<'float32'>();
        tensor.dispose();
        const target = into[name];
        if (target?.type === 'float32') target.values.set(values);
        outputs[name] = target ?? { type: 'float32', shape: tensor.shape, values: values.slice() };
      }
      return outputs;
    },
    async close() {
      model.dispose();
    },
  };
}

/** The layers one after the other, dropouts with our masks: the same of a seed on any machine. */
function forward(
  {
    tf,
    model,
    axes,
    step,
  }: {
    readonly tf: Tensorflow;
    readonly model: LayersModel;
    readonly axes: Axes;
    readonly step: TensorflowStep['step'];
  },
  given: Inputs,
): Tensor2D {
  const masks = step.masks.values();
  let value: Tensor = given('pixels').toFloat().transpose([0, 2, 3, 1]);
  for (const layer of model.layers) {
    if (layer.getClassName() === 'Dropout') {
      const mask = masks.next().value;
      if (!mask) throw new Error('bug: a dropout without a mask');
      const kept = axes.maskToLayers(mask.name, given(mask.name)).toFloat();
      value = value.mul(kept.mul(tf.scalar(1 / (1 - mask.rate))));
    } else value = layer.apply(value) as Tensor; // one in, one out
  }
  return value as Tensor2D; // planNetwork says that it ends in [N, labels]
}

/** The mean over labels and weighted frames, with the derivative that belongs to it. */
function meanLoss(
  tf: Tensorflow,
  { losses, slopes }: LossFormula,
  logits: Tensor2D,
  given: Inputs,
): Scalar {
  const targets = given('targets') as Tensor2D;
  const weights = given('frameWeights');
  const [, labelCount] = logits.shape;
  const shares = weights
    .div(weights.sum())
    .mul(1 / labelCount)
    .expandDims(1);
  // `as`: its types know neither `save` nor what was saved.
  const withGradient = tf.customGrad(((at: Tensor2D, save: (kept: Tensor[]) => void) => {
    save([at, shares]);
    const value = losses(at, targets).mul(shares).sum();
    return {
      value,
      gradFunc: (outer: Tensor, [kept, keptShares]: [Tensor2D, Tensor]) =>
        slopes(kept, targets).mul(keptShares).mul(outer),
    };
  }) as Parameters<typeof tf.customGrad>[0]);
  return withGradient(logits) as Scalar;
}

/** The variable of each parameter: layers are called as in the network, kernel before bias. */
function variablesOf(model: LayersModel, names: readonly string[]): ReadonlyMap<string, Variable> {
  return new Map(
    names.map((name) => {
      const [layer = '', part] = name.split('/');
      const weight = model.getLayer(layer).trainableWeights[part === 'kernel' ? 0 : 1];
      if (!weight) throw new Error(`bug: no variable for ${name}`);
      return [name, weight.read() as Variable]; // a LayerVariable's value is one
    }),
  );
}

function toTensor(tf: Tensorflow, name: string, given: GraphTensor | undefined): Tensor {
  if (!given) throw new DomainError('option_invalid', `expected an input ${name}, got none`);
  const { type, values, shape } = given;
  if (type === 'int64') return tf.scalar(Number(values[0]));
  return tf.tensor(values, [...shape], type === 'uint8' ? 'int32' : 'float32');
}
