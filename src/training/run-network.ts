import type { Network } from '../graph/index.js';
import type { NetworkShape } from './networks/index.js';
import type { RunSpec } from './run.js';

/** What the network of a run is made for. */
export function shapeOf({
  inputSpec,
  labels,
}: Pick<RunSpec, 'inputSpec' | 'labels'>): NetworkShape {
  const { channels, heightPx, widthPx } = inputSpec;
  return { channels: channels.length, heightPx, widthPx, labelCount: labels.length };
}

/** A network but for its last layer, the one that knows the labels. */
export function withoutHead(network: Network): Network {
  return { ...network, layers: network.layers.slice(0, -1) };
}
