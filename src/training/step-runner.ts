import type { GraphRunner, GraphTensor } from '../engines/index.js';
import { DomainError } from '../errors.js';
import { drawDropoutMasks, type Parameters, type TrainingStep } from '../graph/index.js';

/** A full or a last, smaller batch: `[n, C, H, W]` and `[n, L]` with 1 ≤ n ≤ batchSize. */
export interface StepBatch {
  readonly pixels: Uint8Array;
  readonly targets: Float32Array;
  readonly frameCount: number;
}

/** What one step tells. */
export interface StepResult {
  /** Mean over labels and frames, before the update. */
  readonly loss: number;
  /** float32 `[n, L]`, with dropout and before the update; overwritten by the next step. */
  readonly probabilities: Float32Array;
}

/**
 * The weights of a training, what is kept about them, and the step that changes them.
 *
 * Behaviour: the state lies in two sets of buffers, read and written in turn, so that
 * a step allocates nothing of the network's size. Steps are counted from 1.
 */
export interface StepRunner {
  /** Runs one step. Blocks the thread. Throws `option_invalid` for a batch that does not fit. */
  run(batch: StepBatch, learningRate: number): Promise<StepResult>;
  /** Steps done so far. */
  readonly step: number;
  /**
   * The weights to be scored and served now, which are averages where such are kept: views
   * that the step after the next overwrites; copy them to keep.
   */
  parameters(): Parameters;
  /**
   * Everything now, for a checkpoint: weights, slots (`conv1/kernel/m`), averages
   * (`conv1/kernel/ema`); views like `parameters`.
   */
  state(): Parameters;
}

/**
 * Starts at `state`: weights, and slots and averages where there are some; else slots start
 * at zero and averages at the weights. Throws `option_invalid` for a weight that is missing
 * or has another size.
 */
export function createStepRunner(
  {
    step: graph,
    state,
    seed,
    stepsDone = 0,
  }: {
    readonly step: TrainingStep;
    readonly state: Parameters;
    /** Of the dropout masks. */
    readonly seed: number;
    readonly stepsDone?: number;
  },
  { runner }: { readonly runner: GraphRunner },
): StepRunner {
  const { batchSize, parameterNames, stateNames, servedNames } = graph;
  const shapes = new Map(
    [...graph.inputs, ...graph.outputs].map(({ name, shape }) => [name, shape.map(Number)]),
  );
  const zeros = (name: string): GraphTensor & { readonly type: 'float32' } => {
    const shape = shapes.get(name)!;
    const count = shape.reduce((product, size) => product * size, 1);
    return { type: 'float32', shape, values: new Float32Array(count) };
  };
  const newState = () => new Map(stateNames.map((name) => [name, zeros(name)]));
  let current = newState();
  let spare = newState();
  const frozenNames = parameterNames.filter((name) => !stateNames.includes(name));
  const frozen = new Map(frozenNames.map((name) => [name, zeros(name)]));
  const fill = (name: string, { values }: GraphTensor, given = state.get(name)?.values): void => {
    if (given ? given.length !== values.length : parameterNames.includes(name)) {
      throw new DomainError(
        'option_invalid',
        `expected ${values.length} values of ${name}, got ${given?.length ?? 'none'}`,
      );
    }
    if (given) (values as Float32Array).set(given);
  };
  for (const [name, tensor] of [...frozen, ...current]) fill(name, tensor);
  for (const [name, average] of servedNames) {
    if (!state.has(average)) fill(average, current.get(average)!, state.get(name)?.values);
  }
  const frameBytes = shapes
    .get('pixels')!
    .slice(1)
    .reduce((product, size) => product * size, 1);
  const labelCount = shapes.get('targets')![1]!;
  const pixels = {
    type: 'uint8',
    shape: shapes.get('pixels')!,
    values: new Uint8Array(batchSize * frameBytes),
  } as const;
  const targets = zeros('targets');
  const weights = zeros('frameWeights');
  const outputs = { loss: zeros('loss'), probabilities: zeros('probabilities') };
  let masks: ReturnType<typeof drawDropoutMasks> = {};
  let done = stepsDone;

  return {
    get step() {
      return done;
    },
    async run(batch, learningRate) {
      const { frameCount } = batch;
      const fits =
        frameCount >= 1 &&
        frameCount <= batchSize &&
        batch.pixels.length === frameCount * frameBytes &&
        batch.targets.length === frameCount * labelCount;
      if (!fits) {
        throw new DomainError(
          'option_invalid',
          `expected 1 to ${batchSize} frames of ${frameBytes} bytes and ${labelCount} targets, got ${frameCount} of ${batch.pixels.length} bytes and ${batch.targets.length} targets in all`,
        );
      }
      pixels.values.set(batch.pixels);
      pixels.values.fill(0, batch.pixels.length);
      targets.values.set(batch.targets);
      targets.values.fill(0, batch.targets.length);
      weights.values.fill(1, 0, frameCount).fill(0, frameCount);
      masks = drawDropoutMasks(graph.masks, { seed, step: done + 1 }, masks);
      await runner.run(
        {
          pixels,
          targets,
          frameWeights: weights,
          learningRate: { type: 'float32', shape: [], values: Float32Array.of(learningRate) },
          step: { type: 'int64', shape: [], values: BigInt64Array.of(BigInt(done + 1)) },
          ...masks,
          ...Object.fromEntries(frozen),
          ...Object.fromEntries(current),
        },
        {
          ...outputs,
          ...Object.fromEntries([...spare].map(([name, tensor]) => [`next/${name}`, tensor])),
        },
      );
      [current, spare] = [spare, current];
      done += 1;
      return {
        loss: outputs.loss.values[0]!,
        probabilities: outputs.probabilities.values.subarray(0, frameCount * labelCount),
      };
    },
    parameters: () =>
      new Map(
        [...servedNames].map(([name, served]) => [
          name,
          (current.get(served) ?? frozen.get(served))!,
        ]),
      ),
    state: () => new Map([...frozen, ...current]),
  };
}
