import { DomainError } from '../../errors.js';
import type { Network } from '../../graph/index.js';
import { resnetLarge } from './resnet-large.js';
import { resnetSmall } from './resnet-small.js';
import { seedCnn } from './seed-cnn.js';

/** What a network is made for. */
export interface NetworkShape {
  readonly channels: number;
  readonly heightPx: number;
  readonly widthPx: number;
  readonly labelCount: number;
}

/** Every network by the name that a RunSpec gives: a new one is a file and a line here. */
export const networks: Readonly<Record<string, (shape: NetworkShape) => Network>> = {
  'seed-cnn': seedCnn,
  'resnet-small': resnetSmall,
  'resnet-large': resnetLarge,
};

/** Makes the network of that name. Throws `option_invalid`, naming what there is. */
export function createNetwork(name: string, shape: NetworkShape): Network {
  const factory = Object.hasOwn(networks, name) ? networks[name] : undefined;
  if (factory) return factory(shape);
  const known = Object.keys(networks).join(', ');
  throw new DomainError('option_invalid', `expected a network of ${known}, got ${name}`);
}
