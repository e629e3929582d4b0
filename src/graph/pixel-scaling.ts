import { type GraphProto, TensorProto_DataType } from '../gen/onnx/onnx.js';
import { createGraphBuilder } from './graph-builder.js';
import { putInFront } from './put-in-front.js';

/** What a graph of floats is fed with: `(pixel * scale - mean) / std`, pixels 0 to 255. */
export interface PixelScaling {
  /** @default 1/255, so that pixels are 0 to 1 */
  readonly scale?: number;
  /** One a channel, or one for all, of scaled pixels. @default 0 */
  readonly mean?: readonly number[];
  /** The same; above 0. @default 1 */
  readonly std?: readonly number[];
}

/** What is wrong with a scaling for an input of that type, in words. */
export function scalingFaults(
  { scale, mean, std }: PixelScaling,
  inputType: string,
  channels: number,
): readonly string[] {
  const said = Object.entries({ scale, mean, std }).filter(([, value]) => value !== undefined);
  if (inputType === 'uint8' && said.length > 0) {
    const names = said.map(([name]) => name).join(', ');
    return [`${names}: expected none for a graph of uint8 pixels, which scales them by itself`];
  }
  const faults: string[] = [];
  if (scale !== undefined && !(scale > 0 && Number.isFinite(scale))) {
    faults.push(`scale: expected a number above 0, got ${scale}`);
  }
  const lists = [
    ['mean', mean, Number.NEGATIVE_INFINITY],
    ['std', std, 0],
  ] as const;
  for (const [name, values = [0], least] of lists.filter(([, values]) => values !== undefined)) {
    if (values.length !== 1 && values.length !== channels) {
      faults.push(`${name}: expected 1 or ${channels} numbers, got ${values.length}`);
    }
    const wrong = values.find((value) => !(value > least && Number.isFinite(value)));
    if (wrong === undefined) continue;
    faults.push(`${name}: expected numbers${least === 0 ? ' above 0' : ''}, got ${wrong}`);
  }
  return faults;
}

/** Puts the scaling of uint8 `[N, C, H, W]` in front of an input of "float" or "float16". */
export function putScalingInFront(
  graph: GraphProto,
  input: { readonly name: string; readonly type: string },
  {
    scale = 1 / 255,
    mean = [0],
    std = [1],
    inputShape,
  }: PixelScaling & { readonly inputShape: readonly [number, number, number] },
): GraphProto {
  const front = createGraphBuilder('pixels');
  const shape = ['N', ...inputShape] as const;
  const { FLOAT, FLOAT16 } = TensorProto_DataType;
  const pixels = front.input('pixels', 'uint8', shape);
  let value = front.node('Cast', [pixels], ['float32', shape], { to: FLOAT });
  const by = (opType: string, numbers: readonly number[]) => {
    const values = Float32Array.from(numbers);
    const constant = { type: 'float32', shape: [1, values.length, 1, 1], values } as const;
    const operand = front.initializer(opType, constant);
    value = front.node(opType, [value, operand], ['float32', shape]);
  };
  by('Mul', [scale]);
  if (mean.some((each) => each !== 0)) by('Sub', mean);
  if (std.some((each) => each !== 1)) by('Div', std);
  if (input.type === 'float16') {
    value = front.node('Cast', [value], ['float16', shape], { to: FLOAT16 });
  }
  front.output('fed', value);
  return putInFront(graph, input.name, { front, prefix: 'served/' });
}
