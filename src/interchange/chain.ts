import { DomainError } from '../errors.js';

/** One layer of a Keras configuration. */
export interface ChainLayer {
  readonly className: string;
  readonly name: string;
  /** By class and count: `conv2d`, `conv2d_1`; `.keras` files keep variables under it. */
  readonly key: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** `[null, H, W, C]` where the layer says what it is given. */
  readonly inputShape: readonly (number | null)[] | null;
}

/** Layers in the order in which a frame passes them. */
export interface Chain {
  readonly name: string;
  readonly inputShape: readonly (number | null)[] | null;
  /** Without the input layer. */
  readonly layers: readonly ChainLayer[];
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a Keras model's configuration as layers one behind the other: a Sequential of
 * Keras 2 or 3, or a functional model without branches.
 *
 * Throws `option_invalid` for anything else.
 */
export function readChain(model: unknown): Chain {
  const className = text(model, 'class_name');
  const config = field(model, 'config');
  const given = Array.isArray(config) ? config : field(config, 'layers');
  if (!['Sequential', 'Functional', 'Model'].includes(className) || !Array.isArray(given)) {
    throw new DomainError(
      'option_invalid',
      `expected a Sequential or functional Keras model, got ${className === '' ? 'something else' : className}`,
    );
  }
  const counts = new Map<string, number>();
  const all = given.map((layer: unknown) => {
    const read = readLayer(layer);
    const count = counts.get(read.key) ?? 0;
    counts.set(read.key, count + 1);
    return count === 0 ? read : { ...read, key: `${read.key}_${count}` };
  });
  const ordered = className === 'Sequential' ? all : inOrder(all, given);
  return {
    name: text(config, 'name') || 'imported',
    inputShape: ordered[0]?.inputShape ?? null,
    layers: ordered.filter((layer) => layer.className !== 'InputLayer'),
  };
}

function readLayer(layer: unknown): ChainLayer {
  const className = text(layer, 'class_name');
  const config = (field(layer, 'config') ?? {}) as Json;
  const shape = config['batch_input_shape'] ?? config['batch_shape'];
  return {
    className,
    name: text(config, 'name') || text(layer, 'name'),
    key: toSnakeCase(className),
    config,
    inputShape: Array.isArray(shape) ? shape : null,
  };
}

/** The layers of a functional model from its input on. */
function inOrder(layers: readonly ChainLayer[], given: readonly unknown[]): readonly ChainLayer[] {
  const next = new Map<string, ChainLayer>();
  let first: ChainLayer | undefined;
  for (const [index, layer] of layers.entries()) {
    const parents = new Set<string>();
    collectParents(field(given[index], 'inbound_nodes'), parents);
    const [parent] = parents;
    const isSecond = parent === undefined ? first !== undefined : next.has(parent);
    if (parents.size > 1 || isSecond) {
      throw new DomainError(
        'option_invalid',
        `expected layers one behind the other, got a branch at "${layer.name}"`,
      );
    }
    if (parent === undefined) first = layer;
    else next.set(parent, layer);
  }
  const ordered: ChainLayer[] = [];
  for (let at = first; at && ordered.length < layers.length; at = next.get(at.name)) {
    ordered.push(at);
  }
  if (ordered.length === layers.length) return ordered;
  throw new DomainError('option_invalid', 'expected layers one behind the other, got a gap');
}

/** Names before `[name, node, tensor, …]`, as Keras 2 nests them and Keras 3 says in `keras_history`. */
function collectParents(node: unknown, into: Set<string>): void {
  if (Array.isArray(node)) {
    const [name, nodeIndex, tensorIndex] = node;
    if (typeof name === 'string' && Number.isInteger(nodeIndex) && Number.isInteger(tensorIndex)) {
      into.add(name);
    } else for (const part of node) collectParents(part, into);
  } else if (typeof node === 'object' && node !== null) {
    for (const part of Object.values(node)) collectParents(part, into);
  }
}

/** As Keras names what it saves. Source: keras/src/utils/naming.py, `to_snake_case`. */
function toSnakeCase(name: string): string {
  return name
    .replaceAll(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Json)[name] : undefined;
}

function text(value: unknown, name: string): string {
  const found = field(value, name);
  return typeof found === 'string' ? found : '';
}
