import { DomainError } from '../../errors.js';
import type { Operator } from '../operator.js';
import { boundShape, describeShape } from '../value.js';

/** The mean of each plane, whatever its size: `[N, C, H, W]` → `[N, C]`. */
export const globalAveragePool: Operator = {
  source: 'Lin, Chen and Yan, Network In Network, arXiv 1312.4400, section 3.2',

  shape([input]) {
    if (input!.length !== 4) {
      throw new DomainError(
        'option_invalid',
        `expected planes to average, got ${describeShape(input!)}`,
      );
    }
    return input!.slice(0, 2);
  },

  forward(builder, [input]) {
    const shape = globalAveragePool.shape([input!.shape], {});
    const output = builder.node(
      'ReduceMean',
      [input!, builder.integers(2, 3)],
      ['float32', shape],
      { keepdims: 0 },
    );
    return { output, saved: [] };
  },

  backward(builder, { inputs }, outputGradient) {
    const shape = boundShape(inputs[0]!.shape);
    const [batch, channels, heightPx, widthPx] = shape as [number, number, number, number];
    const share = builder.scalar(1 / (heightPx * widthPx));
    const each = builder.node('Mul', [outputGradient, share], ['float32', [batch, channels]]);
    const corner = [batch, channels, 1, 1];
    const planes = builder.node(
      'Reshape',
      [each, builder.integers(...corner)],
      ['float32', corner],
    );
    return [builder.node('Expand', [planes, builder.integers(...shape)], ['float32', shape])];
  },
};
