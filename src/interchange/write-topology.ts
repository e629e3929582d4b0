import { DomainError } from '../errors.js';
import type { Layer, Network } from '../graph/index.js';

/**
 * A Keras configuration of a network, with the scaling and the sigmoid inside: pixels
 * float32 `[N, H, W, C]`, 0..255, in; probabilities out, or logits without the
 * sigmoid, as a training needs them.
 *
 * Throws `unsupported` for a layer that has no such form.
 */
export function writeTopology(
  { name, inputShape, layers }: Network,
  { withSigmoid = true }: { readonly withSigmoid?: boolean } = {},
): object {
  const [channels, heightPx, widthPx] = inputShape;
  const written: { class_name: string; config: Record<string, unknown> }[] = [
    {
      class_name: 'Rescaling',
      config: {
        name: 'scale_pixels',
        batch_input_shape: [null, heightPx, widthPx, channels],
        dtype: 'float32',
        scale: 1 / 255,
        offset: 0,
      },
    },
  ];
  const add = (className: string, layerName: string, config: Record<string, unknown> = {}) =>
    written.push({
      class_name: className,
      config: { name: layerName, trainable: true, dtype: 'float32', ...config },
    });
  const { conv2d, maxPooling2d } = {
    conv2d: { strides: [1, 1], padding: 'valid', dilation_rate: [1, 1] },
    maxPooling2d: { padding: 'valid', data_format: 'channels_last' },
  };
  for (const [index, layer] of layers.entries()) {
    const nth = `${layer.kind}_${index + 1}`;
    assertPlain(layer);
    switch (layer.kind) {
      case 'conv': {
        const { filters, kernelPx } = layer;
        const kernel_size = [kernelPx, kernelPx];
        const data_format = 'channels_last';
        add('Conv2D', layer.name, { filters, kernel_size, ...conv2d, data_format, ...weighted });
        break;
      }
      case 'dense':
        add('Dense', layer.name, { units: layer.units, ...weighted });
        break;
      case 'relu':
        activate('relu', nth);
        break;
      case 'maxPool': {
        const size = [layer.sizePx, layer.sizePx];
        add('MaxPooling2D', nth, { pool_size: size, strides: size, ...maxPooling2d });
        break;
      }
      case 'dropout':
        add('Dropout', nth, { rate: layer.rate });
        break;
      case 'flatten':
        add('Flatten', nth, { data_format: 'channels_last' });
        break;
      default:
        throw unsupported(layer);
    }
  }
  if (withSigmoid) activate('sigmoid', 'probabilities');
  return { class_name: 'Sequential', config: { name, layers: written } };

  /** Into the layer before where it has weights, as one writes it by hand. */
  function activate(activation: string, layerName: string): void {
    const before = written.at(-1);
    if (before?.config['activation'] === 'linear') before.config['activation'] = activation;
    else add('Activation', layerName, { activation });
  }
}

const weighted = { activation: 'linear', use_bias: true } as const;

/** What of a layer can be written; anything more would be lost without a word. */
const plainFields: Readonly<Record<string, readonly string[]>> = {
  conv: ['kind', 'name', 'filters', 'kernelPx'],
  dense: ['kind', 'name', 'units'],
  relu: ['kind'],
  maxPool: ['kind', 'sizePx'],
  dropout: ['kind', 'rate'],
  flatten: ['kind'],
};

function assertPlain(layer: Layer): void {
  const fields = plainFields[layer.kind];
  const known = Object.entries(layer).every(([field, value]) => !value || fields?.includes(field));
  if (!fields || !known) throw unsupported(layer);
}

function unsupported(layer: Layer): DomainError {
  return new DomainError(
    'unsupported',
    `a layer ${JSON.stringify(layer).slice(0, 200)} has no form in TensorFlow's layers here; supported: ${Object.keys(plainFields).join(', ')}`,
  );
}
