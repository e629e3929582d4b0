import { DomainError } from '../../errors.js';
import type { Operator } from '../operator.js';
import { boundShape, describeShape, type Shape } from '../value.js';
import { padToSize } from './pad-to-size.js';

/**
 * Lays the pixels of each `sizePx` by `sizePx` block behind each other as channels, so that
 * what follows sees a quarter of the places and loses nothing: `[N, C, H, W]` →
 * `[N, s²·C, ⌊H/s⌋, ⌊W/s⌋]`. A 3×3 convolution behind it is one of 6×6 with stride 2. Rows
 * and columns that fill no block are dropped.
 */
export const spaceToDepth: Operator = {
  source: 'ONNX operators SpaceToDepth-13 and DepthToSpace-13',

  shape([input], { sizePx = 2 }) {
    const [batch, channels, heightPx, widthPx] = input!;
    if (input!.length !== 4 || Number(heightPx) < sizePx || Number(widthPx) < sizePx) {
      throw new DomainError(
        'option_invalid',
        `expected at least ${sizePx} by ${sizePx} px in a block, got ${describeShape(input!)}`,
      );
    }
    const blocks = (size: unknown): number => Math.floor(Number(size) / sizePx);
    return [batch!, Number(channels) * sizePx * sizePx, blocks(heightPx), blocks(widthPx)];
  },

  forward(builder, [input], attributes) {
    const { sizePx = 2 } = attributes;
    const shape = spaceToDepth.shape([input!.shape], attributes);
    const whole = wholeBlocks(input!.shape, sizePx);
    const [, , heightPx, widthPx] = whole as [unknown, unknown, number, number];
    const isWhole = `${whole}` === `${input!.shape}`;
    const cut = isWhole
      ? input!
      : builder.node(
          'Slice',
          [
            input!,
            builder.integers(0, 0),
            builder.integers(heightPx, widthPx),
            builder.integers(2, 3),
          ],
          ['float32', whole],
        );
    const output = builder.node('SpaceToDepth', [cut], ['float32', shape], { blocksize: sizePx });
    return { output, saved: [] };
  },

  backward(builder, { inputs, attributes }, outputGradient) {
    const { sizePx = 2 } = attributes;
    const whole = boundShape(wholeBlocks(inputs[0]!.shape, sizePx));
    const blocks = builder.node('DepthToSpace', [outputGradient], ['float32', whole], {
      blocksize: sizePx,
    });
    return [padToSize(builder, blocks, inputs[0]!.shape)];
  },
};

function wholeBlocks([batch, channels, heightPx, widthPx]: Shape, sizePx: number): Shape {
  const whole = (size: unknown): number => Math.floor(Number(size) / sizePx) * sizePx;
  return [batch!, channels!, whole(heightPx), whole(widthPx)];
}
