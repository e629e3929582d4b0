import { DomainError } from '../errors.js';
import { ModelProto } from '../gen/onnx/onnx.js';
import { fitPixels, type RawPixels } from './fit-pixels.js';
import { createGraphBuilder } from './graph-builder.js';
import { graphInputs } from './graph-inputs.js';
import { putInFront } from './put-in-front.js';

/** `ReduceSum` with its axes as an input, as it is written here. */
const leastOperators = 13;

/**
 * The same network behind planes as they came: its input uint8 `[N, C, H, W]` becomes one of
 * `raw`, uint8 or uint16 `[N, C, heightPx, widthPx]`, which the graph brings to size and scale as
 * frames/ would on the CPU, to the same bytes. Nothing behind it is touched, so that it takes any
 * model, of half precision too.
 *
 * Throws `unsupported` where the graph cannot give the same bytes, or is of operators too old.
 */
export function takeRawPixels(
  model: Uint8Array,
  raw: RawPixels,
  [channels, heightPx, widthPx]: readonly [number, number, number],
): Uint8Array {
  const proto = ModelProto.decode(model);
  const { graph } = proto;
  const isOnnx = (domain: string) => domain === '' || domain === 'ai.onnx';
  const version = proto.opsetImport.find(({ domain = '' }) => isOnnx(domain))?.version ?? 0;
  if (!graph || version < leastOperators) {
    throw new DomainError(
      'unsupported',
      `expected ONNX operators ${leastOperators} or newer, got ${version}`,
    );
  }
  const inputs = graphInputs(graph);
  const [input] = inputs;
  if (!input || inputs.length > 1) {
    throw new DomainError('unsupported', `expected one input, got ${inputs.length}`);
  }
  const builder = createGraphBuilder('raw');
  const pixels = builder.input('pixels', raw.pixelType, ['N', channels, raw.heightPx, raw.widthPx]);
  builder.output('fitted', fitPixels(builder, pixels, raw, { heightPx, widthPx }));
  const name = input.name ?? '';
  const behind = putInFront(graph, name, { front: builder, prefix: 'raw/' });
  return ModelProto.encode({ ...proto, graph: behind }).finish();
}
