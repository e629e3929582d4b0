import { createGraphBuilder } from '../../src/graph/graph-builder.js';

/** A model that gives back its own pixels as they are, one a label: uint8 `[N, C, H, W]` in. */
export function mirrorModel([channels, heightPx, widthPx]: readonly [
  number,
  number,
  number,
]): Uint8Array {
  const builder = createGraphBuilder('mirror');
  const pixels = builder.input('pixels', 'uint8', ['N', channels, heightPx, widthPx]);
  const count = channels * heightPx * widthPx;
  const levels = builder.node('Cast', [pixels], ['float32', pixels.shape], { to: 1 });
  const row = builder.integers(0, count);
  builder.output('seen', builder.node('Reshape', [levels, row], ['float32', ['N', count]]));
  return builder.toModel();
}
