import type { GraphRunner, GraphTensor } from '../engines/index.js';
import { DomainError } from '../errors.js';
import {
  drawDropoutMasks,
  type MaskTensor,
  type Parameters,
  type TrainingStep,
} from '../graph/index.js';

/** A full or a last, smaller batch: `[n, C, H, W]` and `[n, L]` with 1 ≤ n ≤ batchSize. */
export interface StepBatch {
  readonly pixels: Uint8Array;
  readonly targets: Float32Array;
  readonly frameCount: number;
}

/** What a step learns from, and how fast. */
export interface PlannedStep {
  readonly batch: StepBatch;
  readonly learningRate: number;
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
 * a step allocates nothing of the network's size. Steps are counted from 1. Where the graph
 * does several steps a call, their state does not come back between them.
 */
export interface StepRunner {
  /** Runs one step. Blocks the thread. Throws `option_invalid` for a batch that does not fit. */
  run(batch: StepBatch, learningRate: number): Promise<StepResult>;
  /**
   * Runs as many steps as there are batches, 1 to `stepsPerCall`, in one call, with the same
   * result as one after the other. Throws as `run`; then no step counts.
   */
  runAll(steps: readonly PlannedStep[]): Promise<readonly StepResult[]>;
  /** The most steps of a call. */
  readonly stepsPerCall: number;
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
    stepsPerCall = 1,
  }: {
    readonly step: TrainingStep;
    readonly state: Parameters;
    /** Of the dropout masks. */
    readonly seed: number;
    readonly stepsDone?: number;
    /** Above 1 the runner's graph is that of `repeatStep`. @default 1 */
    readonly stepsPerCall?: number;
  },
  { runner }: { readonly runner: GraphRunner },
): StepRunner {
  const { batchSize, parameterNames, stateNames, servedNames } = graph;
  const shapes = new Map(
    [...graph.inputs, ...graph.outputs].map(({ name, shape }) => [name, shape.map(Number)]),
  );
  const zeros = (name: string): GraphTensor & { readonly type: 'float32' } => {
    const shape = shapes.get(name)!;
    return { type: 'float32', shape, values: new Float32Array(countOf(shape)) };
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
  const frameBytes = countOf(shapes.get('pixels')!.slice(1));
  const labelCount = shapes.get('targets')![1]!;
  const isRepeated = stepsPerCall > 1;
  /** A tensor of so many steps: a view of the first of them. */
  const stepsOf = (tensor: ReturnType<typeof floats>, count: number) => {
    if (!isRepeated) return tensor;
    const shape = [count, ...tensor.shape.slice(1)];
    return { ...tensor, shape, values: tensor.values.subarray(0, countOf(shape)) };
  };
  const stacked = (shape: readonly number[]) => (isRepeated ? [stepsPerCall, ...shape] : shape);
  const floats = (name: string) => {
    const shape = stacked(shapes.get(name)!);
    return { type: 'float32', shape, values: new Float32Array(countOf(shape)) } as const;
  };
  const bytes = (name: string) => {
    const shape = stacked(shapes.get(name)!);
    return { type: 'uint8', shape, values: new Uint8Array(countOf(shape)) } as const;
  };
  const pixels = bytes('pixels');
  const targets = floats('targets');
  const weights = floats('frameWeights');
  const learningRates = floats('learningRate');
  const masks = graph.masks.map((spec) => ({ spec, tensor: bytes(spec.name) }));
  const outputs = { loss: floats('loss'), probabilities: floats('probabilities') };
  let done = stepsDone;

  const assertFits = ({ frameCount, pixels: given, targets: wanted }: StepBatch): void => {
    const fits =
      frameCount >= 1 &&
      frameCount <= batchSize &&
      given.length === frameCount * frameBytes &&
      wanted.length === frameCount * labelCount;
    if (fits) return;
    throw new DomainError(
      'option_invalid',
      `expected 1 to ${batchSize} frames of ${frameBytes} bytes and ${labelCount} targets, got ${frameCount} of ${given.length} bytes and ${wanted.length} targets in all`,
    );
  };

  /** Puts a batch into its place, filled up with frames of weight 0. */
  const place = ({ batch, learningRate }: PlannedStep, index: number): void => {
    const { frameCount } = batch;
    const pixelsHere = part(pixels.values, index, batchSize * frameBytes);
    pixelsHere.set(batch.pixels);
    pixelsHere.fill(0, batch.pixels.length);
    const targetsHere = part(targets.values, index, batchSize * labelCount);
    targetsHere.set(batch.targets);
    targetsHere.fill(0, batch.targets.length);
    part(weights.values, index, batchSize).fill(1, 0, frameCount).fill(0, frameCount);
    learningRates.values[index] = learningRate;
    const into = masks.map(({ spec: { name, shape }, tensor }): [string, MaskTensor] => [
      name,
      { type: 'uint8', shape, values: part(tensor.values, index, countOf(shape)) },
    ]);
    drawDropoutMasks(graph.masks, { seed, step: done + index + 1 }, Object.fromEntries(into));
  };

  const runAll = async (steps: readonly PlannedStep[]): Promise<readonly StepResult[]> => {
    if (steps.length < 1 || steps.length > stepsPerCall) {
      throw new DomainError(
        'option_invalid',
        `expected 1 to ${stepsPerCall} steps, got ${steps.length}`,
      );
    }
    for (const { batch } of steps) assertFits(batch);
    for (const [index, step] of steps.entries()) place(step, index);
    const first = BigInt64Array.of(BigInt(done + 1));
    const count = BigInt64Array.of(BigInt(steps.length));
    const loss = stepsOf(outputs.loss, steps.length);
    const probabilities = stepsOf(outputs.probabilities, steps.length);
    await runner.run(
      {
        ...{ pixels, targets, frameWeights: weights, learningRate: learningRates },
        step: { type: 'int64', shape: [], values: first },
        ...(isRepeated ? { steps: { type: 'int64', shape: [], values: count } } : {}),
        ...Object.fromEntries(masks.map(({ spec, tensor }) => [spec.name, tensor])),
        ...Object.fromEntries(frozen),
        ...Object.fromEntries(current),
      },
      {
        ...{ loss, probabilities },
        ...Object.fromEntries([...spare].map(([name, tensor]) => [`next/${name}`, tensor])),
      },
    );
    [current, spare] = [spare, current];
    done += steps.length;
    return steps.map(({ batch }, index) => ({
      loss: loss.values[index]!,
      probabilities: part(probabilities.values, index, batchSize * labelCount).subarray(
        0,
        batch.frameCount * labelCount,
      ),
    }));
  };

  return {
    stepsPerCall,
    get step() {
      return done;
    },
    runAll,
    async run(batch, learningRate) {
      const [result] = await runAll([{ batch, learningRate }]);
      return result!;
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

const countOf = (shape: readonly number[]): number =>
  shape.reduce((product, size) => product * size, 1);

/** The values of one step of several: a view. */
const part = <Values extends Float32Array | Uint8Array>(
  values: Values,
  index: number,
  length: number,
): Values => values.subarray(index * length, (index + 1) * length) as Values; // of its own kind
