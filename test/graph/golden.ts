import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GraphTensor } from '../../src/engines/index.js';
import type { Layer, Network, Parameters, TrainingStep } from '../../src/graph/index.js';
import { planNetwork } from '../../src/graph/network-plan.js';
import { packageRoot } from '../../src/package-root.js';

/** All values of a tensor, or what `digest` of the script keeps of a large one. */
export type GoldenTensor =
  | readonly number[]
  | {
      readonly norm: number;
      readonly sum: number;
      readonly largest: number;
      readonly entries: readonly (readonly [index: number, value: number])[];
    };

/** What PyTorch gave for one network; see test/golden/training_step.py. */
export interface Golden {
  readonly frames: number;
  readonly labels: number;
  readonly inputShape: readonly [number, number, number];
  readonly layers: readonly (readonly [kind: string, ...numbers: (string | number)[]])[];
  readonly losses: readonly number[];
  readonly probabilities: readonly number[];
  readonly gradients: Readonly<Record<string, GoldenTensor>>;
  readonly parametersAfterTenSteps: Readonly<Record<string, GoldenTensor>>;
  readonly firstMomentsAfterTenSteps: Readonly<Record<string, GoldenTensor>>;
  readonly secondMomentsAfterTenSteps: Readonly<Record<string, GoldenTensor>>;
}

export const readGolden = (name: 'small' | 'seed-cnn'): Golden =>
  JSON.parse(readFileSync(join(packageRoot, 'test/golden/training-step.json'), 'utf8'))[name];

/** The network that a golden file describes. */
export function networkOf({ inputShape, layers }: Golden): Network {
  const toLayer = ([kind, first, second, third]: Golden['layers'][number]): Layer => {
    const name = String(first);
    switch (kind) {
      case 'conv':
        return { kind, name, filters: Number(second), kernelPx: Number(third) };
      case 'dense':
        return { kind, name, units: Number(second) };
      case 'maxPool':
        return { kind, sizePx: Number(first) };
      case 'dropout':
        return { kind, rate: Number(first) };
      case 'relu':
      case 'flatten':
        return { kind };
      default:
        throw new Error(`no layer of kind ${kind}`);
    }
  };
  return { name: 'golden', inputShape, layers: layers.map(toLayer) };
}

/** The weights of the script's formula. */
export function goldenParameters(network: Network): Parameters {
  const entries = planNetwork(network).parameters.map(({ name, shape, fans }, salt) => {
    const limit = fans ? Math.sqrt(6 / (fans.in + fans.out)) : 0.05;
    const count = shape.reduce((all, size) => all * size, 1);
    const middle = name.endsWith('/gain') ? 1 : 0;
    const values = Float32Array.from(
      { length: count },
      (_, i) => middle + Math.fround((noise(i, salt) / 2 ** 31 - 1) * limit),
    );
    return [name, { shape, values }] as const;
  });
  return new Map(entries);
}

/** Pixels, targets, masks and rates of a step, by the script's formula. */
export function goldenInputs(
  { frames, labels, inputShape }: Pick<Golden, 'frames' | 'labels' | 'inputShape'>,
  { masks }: TrainingStep,
  step: number,
): Record<string, GraphTensor> {
  const pixelShape = [frames, ...inputShape];
  const count = pixelShape.reduce((all, size) => all * size, 1);
  const inputs: Record<string, GraphTensor> = {
    pixels: {
      type: 'uint8',
      shape: pixelShape,
      values: Uint8Array.from({ length: count }, (_, i) => noise(i, 100 + step) >>> 24),
    },
    targets: {
      type: 'float32',
      shape: [frames, labels],
      values: Float32Array.from({ length: frames * labels }, (_, i) =>
        noise(i, 200 + step) % 4 === 0 ? 1 : 0,
      ),
    },
    frameWeights: { type: 'float32', shape: [frames], values: new Float32Array(frames).fill(1) },
    learningRate: {
      type: 'float32',
      shape: [],
      values: Float32Array.of(1e-3 / (1 + 0.05 * (step - 1))),
    },
    step: { type: 'int64', shape: [], values: BigInt64Array.of(BigInt(step)) },
  };
  for (const [index, { name, shape, rate }] of masks.entries()) {
    const length = shape.reduce((all, size) => all * size, 1);
    const salt = 1000 * (index + 1) + step;
    const values = Uint8Array.from({ length }, (_, i) =>
      noise(i, salt) / 2 ** 32 >= rate ? 1 : 0,
    );
    inputs[name] = { type: 'uint8', shape, values };
  }
  return inputs;
}

/** MurmurHash3's finaliser of (index, salt), as in the script. */
function noise(index: number, salt: number): number {
  let hash = (Math.imul(index, 0x9e3779b1) + Math.imul(salt, 0x85ebca6b) + 1) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** How far values are from a golden tensor, as parts of its largest entry and of its norm. */
export function distance(
  got: Float32Array,
  golden: GoldenTensor,
): { readonly entries: number; readonly norm: number; readonly sum: number } {
  const normOf = (values: Iterable<number>): number => {
    let sum = 0;
    for (const value of values) sum += value * value;
    return Math.sqrt(sum);
  };
  let gotSum = 0;
  for (const value of got) gotSum += value;
  const isWhole = Array.isArray(golden);
  const expected = isWhole
    ? {
        norm: normOf(golden),
        sum: golden.reduce((all: number, value: number) => all + value, 0),
        largest: golden.reduce((most: number, value: number) => Math.max(most, Math.abs(value)), 0),
        entries: golden.map((value, index) => [index, value] as const),
      }
    : (golden as Exclude<GoldenTensor, readonly number[]>);
  if (isWhole && golden.length !== got.length) throw new Error('another number of values');
  const furthest = expected.entries.reduce(
    (most, [index, value]) => Math.max(most, Math.abs(got[index]! - value)),
    0,
  );
  return {
    entries: furthest / expected.largest,
    norm: Math.abs(normOf(got) - expected.norm) / expected.norm,
    // A sum of n errors of one size, in either direction, grows with the root of n.
    sum: Math.abs(gotSum - expected.sum) / (expected.norm * Math.sqrt(got.length)),
  };
}
