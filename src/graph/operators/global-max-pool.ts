import type { Operator } from '../operator.js';
import { boundShape } from '../value.js';
import { globalAveragePool } from './global-average-pool.js';

/**
 * The largest value of each plane, whatever its size: `[N, C, H, W]` → `[N, C]`. The gradient
 * goes to where it was; places that are as large share it evenly.
 */
export const globalMaxPool: Operator = {
  source: 'ONNX operator ReduceMax-18; even shares as in PyTorch 1.13, torch.amax',
  shape: globalAveragePool.shape,

  forward(builder, [input]) {
    const shape = globalMaxPool.shape([input!.shape], {});
    const output = builder.node('ReduceMax', [input!, builder.integers(2, 3)], ['float32', shape], {
      keepdims: 0,
    });
    return { output, saved: [] };
  },

  backward(builder, { inputs, output }, outputGradient) {
    const [input] = inputs;
    const shape = boundShape(input!.shape);
    const [batch, channels] = shape as [number, number, number, number];
    const corner = [batch, channels, 1, 1];
    const toCorner = (value: typeof output) =>
      builder.node('Reshape', [value, builder.integers(...corner)], ['float32', corner]);
    const isLargest = builder.node('Equal', [input!, toCorner(output)], ['bool', shape]);
    const largest = builder.node('Cast', [isLargest], ['float32', shape], { to: float });
    const axes = builder.integers(2, 3);
    const count = builder.node('ReduceSum', [largest, axes], ['float32', corner], { keepdims: 1 });
    const share = builder.node('Div', [toCorner(outputGradient), count], ['float32', corner]);
    return [builder.node('Mul', [largest, share], ['float32', shape])];
  },
};

/** `TensorProto.FLOAT`. */
const float = 1;
