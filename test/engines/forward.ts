import type { TrainedNetwork } from '../../src/interchange/index.js';

/** What a network answers for one frame, uint8 `[C, H, W]`, written as in a textbook, in float64. */
export function forward({ network, parameters }: TrainedNetwork, pixels: Uint8Array): number[] {
  let [channels, height, width] = network.inputShape as [number, number, number];
  let values: number[] = Array.from(pixels, (level) => level / 255);
  const weight = (name: string): Float32Array => parameters.get(name)!.values;
  for (const layer of network.layers) {
    const [oldChannels, oldHeight, oldWidth] = [channels, height, width];
    const at = (channel: number, y: number, x: number): number =>
      values[(channel * oldHeight + y) * oldWidth + x]!;
    const map = (each: (channel: number, y: number, x: number) => number): number[] =>
      Array.from({ length: channels * height * width }, (_, index) =>
        each(
          Math.floor(index / (height * width)),
          Math.floor(index / width) % height,
          index % width,
        ),
      );
    if (layer.kind === 'conv') {
      const { name, filters, kernelPx: size } = layer;
      const [kernel, bias] = [weight(`${name}/kernel`), weight(`${name}/bias`)];
      [channels, height, width] = [filters, height - size + 1, width - size + 1];
      values = map((filter, y, x) => {
        let sum = bias[filter]!;
        for (let channel = 0; channel < oldChannels; channel += 1) {
          for (let dy = 0; dy < size; dy += 1) {
            for (let dx = 0; dx < size; dx += 1) {
              const of = ((filter * oldChannels + channel) * size + dy) * size + dx;
              sum += kernel[of]! * at(channel, y + dy, x + dx);
            }
          }
        }
        return sum;
      });
    } else if (layer.kind === 'maxPool') {
      const { sizePx: size } = layer;
      [height, width] = [Math.floor(height / size), Math.floor(width / size)];
      values = map((channel, y, x) => {
        let most = Number.NEGATIVE_INFINITY;
        for (let dy = 0; dy < size; dy += 1) {
          for (let dx = 0; dx < size; dx += 1) {
            most = Math.max(most, at(channel, y * size + dy, x * size + dx));
          }
        }
        return most;
      });
    } else if (layer.kind === 'dense') {
      const [kernel, bias] = [weight(`${layer.name}/kernel`), weight(`${layer.name}/bias`)];
      values = Array.from({ length: layer.units }, (_, unit) =>
        values.reduce(
          (sum, value, row) => sum + value * kernel[row * layer.units + unit]!,
          bias[unit]!,
        ),
      );
    } else if (layer.kind === 'relu') values = values.map((value) => Math.max(0, value));
  }
  return values.map((logit) => 1 / (1 + Math.exp(-logit)));
}
