import {
  assertStarts,
  createOnnxGraphRunner,
  createTensorflowGraphRunner,
  type DeviceName,
  devices,
  type GraphRunner,
} from '../../engines/index.js';
import { DomainError } from '../../errors.js';
import {
  buildInference,
  buildTrainingStep,
  initialiseParameters,
  type Loss,
  type Network,
  repeatStep,
  type TrainingStep,
} from '../../graph/index.js';
import type { RunSpec } from '../run.js';
import type { ProcessOptions } from './messages.js';
import { scaledFrames, usualFramesPerPass } from './scaled-frames.js';

/** A training step that is loaded where it will run. */
export interface OpenStep {
  readonly step: TrainingStep;
  readonly stepsPerCall: number;
  readonly runner: GraphRunner;
  /** Where ONNX Runtime runs what else there is of a training: the validation. */
  readonly device: DeviceName;
  /** Why not elsewhere, or not wholly there; empty where there is nothing to say. */
  readonly note: string;
}

export interface OpenStepOptions
  extends Pick<ProcessOptions, 'devices' | 'stepsPerCall' | 'tensorflowPackage' | 'threads'> {
  readonly spec: RunSpec;
  readonly network: Network;
  readonly loss: Loss;
}

/**
 * Builds the step of a spec and loads it on the first device that starts. What a device lacks
 * of it goes to the CPU, and is told.
 *
 * Throws `unsupported` where no device starts, with the reason of each and what to install.
 */
export async function openStep(options: OpenStepOptions): Promise<OpenStep> {
  return options.spec.engine === 'tensorflow' ? openTensorflowStep(options) : openOnnxStep(options);
}

async function openOnnxStep(options: OpenStepOptions): Promise<OpenStep> {
  const { spec, network, threads } = options;
  const { device, reasons } = await findDevice(options.devices);
  const { trainingStepsPerCall } = devices[device];
  const stepsPerCall = options.stepsPerCall || trainingStepsPerCall;
  const step = buildTrainingStep(network, stepOptionsOf(options, device));
  const { model } = stepsPerCall > 1 ? repeatStep(step, stepsPerCall) : step;
  const runner = await createOnnxGraphRunner(model, { device, threads });
  const notes = [...reasons, ...(runner.note === '' ? [] : [`a step: ${runner.note}`])];
  if (device !== 'cpu') {
    // The same graph is loaded after each epoch, with other weights.
    const scored = buildInference(network, initialiseParameters(network, spec.seed));
    const validation = await createOnnxGraphRunner(scored, { device, threads });
    if (validation.note !== '') notes.push(`the validation: ${validation.note}`);
    await validation.close();
  }
  return { step, stepsPerCall, runner, device, note: notes.join('; ') };
}

/** TensorFlow goes through a step itself, where its package computes; it scores as ever. */
async function openTensorflowStep(options: OpenStepOptions): Promise<OpenStep> {
  const { network, threads, tensorflowPackage } = options;
  const device = 'cpu';
  const stepOptions = stepOptionsOf(options, device);
  const step = buildTrainingStep(network, stepOptions);
  const packages = tensorflowPackage === null ? {} : { packages: [tensorflowPackage] };
  const runner = await createTensorflowGraphRunner(
    { network, step, options: stepOptions },
    { threads, ...packages },
  );
  const slow = runner.isNative ? [] : ['no native TensorFlow is installed: steps are slow'];
  const note = [...slow, ...(runner.note === '' ? [] : [runner.note])].join('; ');
  return { step, stepsPerCall: 1, runner, device, note };
}

/** The first that starts, and why not those before it. */
async function findDevice(
  names: readonly DeviceName[],
): Promise<{ readonly device: DeviceName; readonly reasons: readonly string[] }> {
  const reasons: string[] = [];
  for (const device of names) {
    try {
      await assertStarts(device);
      return { device, reasons };
    } catch (thrown) {
      reasons.push(`${device}: ${DomainError.from(thrown).message}`);
    }
  }
  throw new DomainError('unsupported', `training cannot run on ${reasons.join('; ')}`);
}

/** What of a spec and a device shapes the graph of a step. */
function stepOptionsOf({ spec, loss }: OpenStepOptions, device: DeviceName) {
  const { inputSpec, batchSize, optimiser, clipNorm, emaDecay, freeze } = spec;
  const weightDecay = optimiser === 'adamw' ? spec.weightDecay : 0;
  const { lacks, trainingFramesAtOnce } = devices[device];
  return {
    ...{ batchSize, weightDecay, clipNorm, emaDecay, frozenLayers: freeze },
    ...{ loss, lacks },
    framesAtOnce: scaledFrames(trainingFramesAtOnce, inputSpec),
    framesPerPass: scaledFrames(usualFramesPerPass, inputSpec),
  };
}
