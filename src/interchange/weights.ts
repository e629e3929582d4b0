import type { Network, Parameters } from '../graph/index.js';
import { layerShape } from '../graph/index.js';

/** A tensor as another library keeps it. */
export interface ForeignTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A network and its weights. */
export interface TrainedNetwork {
  readonly network: Network;
  readonly parameters: Parameters;
}

/**
 * Weights as TensorFlow orders them: kernels of convolutions `[K, K, in, out]` instead of
 * `[out, in, K, K]`, and the rows of a dense layer that follows a flatten by row, column,
 * channel instead of channel, row, column. The order of the map is kept.
 */
export function toTensorFlow({ network, parameters }: TrainedNetwork): Parameters {
  return reordered(network, parameters, { toUs: false });
}

/** The opposite of `toTensorFlow`. */
export function fromTensorFlow({ network, parameters }: TrainedNetwork): Parameters {
  return reordered(network, parameters, { toUs: true });
}

function reordered(
  network: Network,
  parameters: Parameters,
  { toUs }: { readonly toUs: boolean },
): Parameters {
  const flattened = flattenedShapes(network);
  return new Map(
    [...parameters].map(([name, tensor]) => {
      const plane = flattened.get(name);
      if (tensor.shape.length === 4) {
        return [name, transpose(tensor, toUs ? [3, 2, 0, 1] : [2, 3, 1, 0])] as const;
      }
      if (plane === undefined) return [name, tensor] as const;
      const [channels = 0, heightPx = 0, widthPx = 0] = plane;
      const units = tensor.shape[1] ?? 0;
      const { values } = toUs
        ? transpose({ ...tensor, shape: [heightPx, widthPx, channels, units] }, [2, 0, 1, 3])
        : transpose({ ...tensor, shape: [channels, heightPx, widthPx, units] }, [1, 2, 0, 3]);
      return [name, { shape: tensor.shape, values }] as const;
    }),
  );
}

/** `[C, H, W]` of what was flattened before a dense layer, by the name of its kernel. */
function flattenedShapes(network: Network): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, readonly number[]>();
  let shape: readonly (number | 'N')[] = ['N', ...network.inputShape];
  let plane: readonly number[] | null = null;
  for (const layer of network.layers) {
    if (layer.kind === 'flatten') plane = shape.slice(1).map(Number);
    if (layer.kind === 'dense') {
      if (plane) found.set(`${layer.name}/kernel`, plane);
      plane = null;
    }
    shape = layerShape(layer, shape);
  }
  return found;
}

/** The same values with the axes in another order: axis `i` of the result is `order[i]`. */
export function transpose(
  { shape, values }: ForeignTensor,
  order: readonly number[],
): { readonly shape: readonly number[]; readonly values: Float32Array } {
  const strides = shape.map((_, axis) =>
    shape.slice(axis + 1).reduce((product, size) => product * size, 1),
  );
  const to = order.map((axis) => shape[axis] ?? 0);
  const steps = order.map((axis) => strides[axis] ?? 0);
  const result = new Float32Array(values.length);
  const at = to.map(() => 0);
  let from = 0;
  for (let index = 0; index < result.length; index += 1) {
    result[index] = values[from] ?? 0;
    // The last axis goes fastest, as in a counter.
    for (let axis = to.length - 1; axis >= 0; axis -= 1) {
      const step = steps[axis] ?? 0;
      at[axis] = (at[axis] ?? 0) + 1;
      from += step;
      if ((at[axis] ?? 0) < (to[axis] ?? 0)) break;
      from -= step * (to[axis] ?? 0);
      at[axis] = 0;
    }
  }
  return { shape: to, values: result };
}
