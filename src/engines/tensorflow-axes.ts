import type { Tensor } from '@tensorflow/tfjs';
import { layerShape, type Network, planNetwork } from '../graph/index.js';

/** Our order of axes and that of TensorFlow's layers; on the device, since kernels are large. */
export interface Axes {
  toLayers(parameter: string, value: Tensor): Tensor;
  fromLayers(parameter: string, value: Tensor): Tensor;
  /** A mask of channels first, or of what was flattened so, to channels last. */
  maskToLayers(mask: string, value: Tensor): Tensor;
}

/** What was flattened: `[C, H, W]`. */
type Plane = readonly [channels: number, heightPx: number, widthPx: number];

/** Follows a network's shapes for where axes have another order. */
export function createAxes(network: Network): Axes {
  const shapes = new Map(planNetwork(network).parameters.map(({ name, shape }) => [name, shape]));
  const { kernels, masks } = flattenedPlanes(network);
  return {
    toLayers(name, value) {
      if (shapes.get(name)?.length === 4) return value.transpose([2, 3, 1, 0]);
      const plane = kernels.get(name);
      if (!plane) return value;
      const units = value.shape[1] ?? 0;
      return value
        .reshape([...plane, units])
        .transpose([1, 2, 0, 3])
        .reshape(value.shape);
    },
    fromLayers(name, value) {
      if (shapes.get(name)?.length === 4) return value.transpose([3, 2, 0, 1]);
      const plane = kernels.get(name);
      if (!plane) return value;
      const [channels, heightPx, widthPx] = plane;
      const units = value.shape[1] ?? 0;
      const whole = value.reshape([heightPx, widthPx, channels, units]);
      return whole.transpose([2, 0, 1, 3]).reshape(value.shape);
    },
    maskToLayers(name, value) {
      if (value.rank === 4) return value.transpose([0, 2, 3, 1]);
      const plane = masks.get(name);
      if (!plane) return value;
      const frames = value.shape[0] ?? 0;
      return value
        .reshape([frames, ...plane])
        .transpose([0, 2, 3, 1])
        .reshape(value.shape);
    },
  };
}

/** The planes whose values still lie flattened at a kernel or at a mask, by its name. */
function flattenedPlanes(network: Network) {
  const kernels = new Map<string, Plane>();
  const masks = new Map<string, Plane>();
  let shape: readonly (number | 'N')[] = ['N', ...network.inputShape];
  let plane: Plane | null = null;
  let dropouts = 0;
  for (const layer of network.layers) {
    if (layer.kind === 'flatten' && shape.length === 4) {
      const [, channels, heightPx, widthPx] = shape.map(Number);
      plane = [channels ?? 0, heightPx ?? 0, widthPx ?? 0];
    }
    if (layer.kind === 'dropout') {
      dropouts += 1;
      if (plane) masks.set(`dropout${dropouts}/mask`, plane);
    }
    if (layer.kind === 'dense') {
      if (plane) kernels.set(`${layer.name}/kernel`, plane);
      plane = null;
    }
    shape = layerShape(layer, shape);
  }
  return { kernels, masks };
}
