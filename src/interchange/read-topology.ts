import { DomainError } from '../errors.js';
import { type Layer, type Network, planNetwork } from '../graph/index.js';
import { type ChainLayer, readChain } from './chain.js';

/** What is read, for whoever has something else. */
const supported =
  'Rescaling by 1/255 as the first, Conv2D (valid, stride 1, square kernel), MaxPooling2D (valid, stride as its pool), ' +
  'Flatten, Dense, Dropout, Activation and ReLU; activations linear and relu, sigmoid at the end';

/** A network as Keras has it: the layers with weights, by the names that they have there. */
export interface KerasNetwork {
  readonly network: Network;
  /** Name of each conv and dense layer of `network` → its layer in the file. */
  readonly sources: ReadonlyMap<string, KerasSource>;
}

/** Where the weights of one layer lie in a file of Keras. */
export interface KerasSource {
  /** Its name in the configuration. */
  readonly name: string;
  /** Where a `.keras` file keeps its variables: `conv2d`, `conv2d_1`. */
  readonly key: string;
  readonly hasBias: boolean;
}

/**
 * Reads a Keras configuration (of Keras 2, Keras 3 or TensorFlow.js) as a Network. Frames
 * reach it as 0..1; a Rescaling by 1/255 in front says the same and is left out. Layers
 * with weights are called conv1, conv2, dense1, as those of networks made here.
 *
 * Throws `option_invalid` that lists every layer that is not supported, and what is.
 */
export function readTopology(model: unknown): KerasNetwork {
  const { layers, inputShape, name } = readChain(model);
  const faults: string[] = [];
  const out: Layer[] = [];
  const sources = new Map<string, KerasSource>();
  const counts = { conv: 0, dense: 0 };
  let end = 'linear';

  for (const [index, given] of layers.entries()) {
    const { className, config } = given;
    const say = (fault: string) =>
      faults.push(`layer ${index + 1} (${className} "${given.name}"): ${fault}`);
    const expect = (field: string, value: unknown, ...allowed: readonly unknown[]) => {
      if (allowed.some((one) => JSON.stringify(one) === JSON.stringify(value ?? null))) return;
      say(`${field} ${JSON.stringify(value)} is not supported`);
    };
    const name_ = (kind: 'conv' | 'dense') => {
      counts[kind] += 1;
      const name = `${kind}${counts[kind]}`;
      const hasBias = config['use_bias'] !== false;
      sources.set(name, { name: given.name, key: given.key, hasBias });
      return name;
    };
    if (end === 'sigmoid' && className !== 'Dropout') say('follows the sigmoid, which is the end');
    switch (className) {
      case 'Rescaling':
        if (out.length > 0) say('is not the first layer');
        if (Math.abs(Number(config['scale']) * 255 - 1) > 1e-6) {
          say(`scale ${JSON.stringify(config['scale'])} is not 1/255`);
        }
        expect('offset', config['offset'], 0, null);
        break;
      case 'Conv2D': {
        const [kernelPx = 0, otherPx] = pair(config['kernel_size']);
        if (kernelPx !== otherPx) say(`a kernel of ${kernelPx} by ${otherPx} is not supported`);
        expect('strides', config['strides'], [1, 1], 1, null);
        expect('dilation_rate', config['dilation_rate'], [1, 1], 1, null);
        expect('padding', config['padding'], 'valid', null);
        expect('groups', config['groups'], 1, null);
        expect('data_format', config['data_format'], 'channels_last', null);
        const filters = Number(config['filters']);
        out.push({ kind: 'conv', name: name_('conv'), filters, kernelPx });
        break;
      }
      case 'MaxPooling2D': {
        const size = pair(config['pool_size']);
        const [sizePx = 0] = size;
        expect('pool_size', size, [sizePx, sizePx]);
        expect('strides', config['strides'], size, sizePx, null);
        expect('padding', config['padding'], 'valid', null);
        expect('data_format', config['data_format'], 'channels_last', null);
        out.push({ kind: 'maxPool', sizePx });
        break;
      }
      case 'Flatten':
        expect('data_format', config['data_format'], 'channels_last', null);
        out.push({ kind: 'flatten' });
        break;
      case 'Dropout':
        expect('noise_shape', config['noise_shape'], null);
        if (end !== 'sigmoid') out.push({ kind: 'dropout', rate: Number(config['rate']) });
        break;
      case 'Dense':
        out.push({ kind: 'dense', name: name_('dense'), units: Number(config['units']) });
        break;
      case 'ReLU':
        expect('max_value', config['max_value'], null);
        expect('negative_slope', config['negative_slope'], 0, null);
        expect('threshold', config['threshold'], 0, null);
        out.push({ kind: 'relu' });
        break;
      case 'Activation':
        break;
      default:
        say('is not supported');
        continue;
    }
    const activation = config['activation'] ?? 'linear';
    if (activation === 'relu') out.push({ kind: 'relu' });
    else if (activation === 'sigmoid') end = 'sigmoid';
    else if (activation !== 'linear') {
      say(`activation ${JSON.stringify(activation)} is not supported`);
    }
  }
  if (faults.length > 0) {
    throw new DomainError('option_invalid', `${faults.join('; ')}; supported: ${supported}`);
  }
  if (end !== 'sigmoid') {
    throw new DomainError(
      'option_invalid',
      'expected a sigmoid at the end, one probability a label, got none',
    );
  }
  const network: Network = { name, inputShape: toChannelsFirst(inputShape), layers: out };
  planNetwork(network); // throws where layers do not fit together
  return { network, sources };
}

function pair(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.map(Number) : [Number(value), Number(value)];
}

function toChannelsFirst(shape: ChainLayer['inputShape']): Network['inputShape'] {
  const [, heightPx, widthPx, channels] = shape ?? [];
  const sizes = [channels, heightPx, widthPx];
  if (shape?.length === 4 && sizes.every((size) => Number.isInteger(size) && Number(size) > 0)) {
    return [Number(channels), Number(heightPx), Number(widthPx)];
  }
  throw new DomainError(
    'option_invalid',
    `expected an input of [null, height, width, channels], got ${JSON.stringify(shape)}`,
  );
}
