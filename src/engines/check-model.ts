import { inputShapeOf } from './check-input.js';
import type { SessionSpec } from './engine.js';

/** An input or output as a runtime describes it; a dimension that is free is a string. */
export interface PortDescription {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

/** The name of the output that says how far a frame is from the training set. */
export const distanceOutput = 'distance';

/**
 * Compares a model's inputs and outputs with what it is to be served with: one uint8
 * `[N, C, H, W]` in, one float32 `[N, labels]` out, any N, and with `hasDistance` a float32
 * `[N]` of that name. Returns every fault, in words.
 */
export function findModelFaults(
  inputs: readonly PortDescription[],
  outputs: readonly PortDescription[],
  spec: Pick<SessionSpec, 'inputShape' | 'labelCount' | 'hasDistance' | 'raw'>,
): readonly string[] {
  const { labelCount, hasDistance = false, raw } = spec;
  const isDistance = ({ name }: PortDescription) => name === distanceOutput;
  // One that nobody asks for does no harm: such a model was made here and is imported again.
  const distances = outputs.length > 1 ? outputs.filter(isDistance) : [];
  const rest = outputs.filter((output) => !distances.includes(output));
  return [
    ...portFaults('input', inputs, raw?.pixelType ?? 'uint8', inputShapeOf(spec)),
    ...portFaults('output', rest, 'float32', [labelCount]),
    ...(hasDistance ? portFaults('output', distances, 'float32', []) : []),
  ];
}

function portFaults(
  what: string,
  ports: readonly PortDescription[],
  type: string,
  rowShape: readonly number[],
): readonly string[] {
  const [port] = ports;
  const expected = `${type} [${['N', ...rowShape].join(', ')}]`;
  if (!port || ports.length > 1) {
    const names = ports.map(({ name }) => name).join(', ') || 'none';
    return [`expected one ${what} of ${expected}, got ${ports.length}: ${names}`];
  }
  const [rows, ...row] = port.shape;
  // A number where the batch goes means that only that size runs.
  const fits =
    port.type === type &&
    typeof rows === 'string' &&
    row.length === rowShape.length &&
    row.every((size, axis) => typeof size === 'string' || size === rowShape[axis]);
  if (fits) return [];
  return [
    `expected ${what} "${port.name}" to be ${expected} with a free N, got ${port.type} [${port.shape.join(', ')}]`,
  ];
}
