import test, { type ExecutionContext } from 'ava';
import { createOnnxEngine } from '../../src/engines/index.js';
import { DomainError } from '../../src/errors.js';
import { ModelProto } from '../../src/gen/onnx/onnx.js';
import { silentLog } from '../../src/log.js';
import { createRegistry, openModelStore } from '../../src/models/index.js';
import { tinyModel } from '../engines/tiny-models.js';
import { exportAnswers, exportLabels, exportShape, readExport } from '../graph/onnx-exports.js';
import { makeFolder } from '../make-folder.js';
import { inputSpec as tinyInput, labels as tinyLabels } from './model-fixtures.js';

const [, heightPx, widthPx] = exportShape;
const labels = exportLabels;
const draft = {
  name: 'cells',
  labels,
  inputSpec: { channels: ['nucleus', 'protein'], widthPx, heightPx, resize: 'bilinear' },
  thresholds: labels.map(() => 0.5),
  thresholdsSource: 'default 0.5',
} as const;

async function setUp(t: ExecutionContext) {
  const store = await openModelStore(await makeFolder(t));
  const engine = await createOnnxEngine({ threads: 1 });
  const registry = createRegistry({}, { engine, store, log: silentLog });
  t.teardown(async () => {
    await registry.close();
    await engine.close();
  });
  type Draft = Parameters<typeof registry.import>[0];
  return {
    store,
    take: (given: Partial<Draft> & Pick<Draft, 'onnx'>) => registry.import({ ...draft, ...given }),
    /** What the published version gives for the frames of the golden file. */
    async answers() {
      const manifest = await store.read('cells@candidate');
      const model = await store.readFile(manifest, 'model.onnx');
      const { inputSpec } = manifest;
      const size = [inputSpec.channels.length, inputSpec.heightPx, inputSpec.widthPx] as const;
      const labelCount = manifest.labels.length;
      const session = await engine.load({ model, inputShape: size, labelCount });
      const { probabilities } = await session.run(Uint8Array.from(exportAnswers.pixels), 2);
      await session.close();
      return probabilities;
    },
  };
}

/** Float32 there and here, in other orders of adding; half precision has 11 bits. */
function holds(
  t: ExecutionContext,
  got: Float32Array,
  expected: readonly (readonly number[])[],
  tolerance = 1e-5,
) {
  t.is(got.length, expected.flat().length);
  for (const [index, value] of expected.flat().entries()) {
    const away = Math.abs((got[index] ?? Number.NaN) - value);
    t.true(away < tolerance, `${index}: ${got[index]} for ${value}`);
  }
}

test('a plain export of float32, logits and a batch of 1 is served as PyTorch answers', async (t) => {
  const { take, answers } = await setUp(t);
  await take({ onnx: readExport('fixed-logits'), logits: true });
  holds(t, await answers(), exportAnswers.plain);
  const { mean, std, answers: normalised } = exportAnswers.normalised;
  await take({ onnx: readExport('fixed-logits'), logits: true, scaling: { mean, std } });
  holds(t, await answers(), normalised);
  await take({ onnx: readExport('fixed-logits'), logits: true, scaling: { scale: 1 } });
  holds(t, await answers(), exportAnswers.levels);
});

test('an export with a free batch and a sigmoid needs no word', async (t) => {
  const { take, answers } = await setUp(t);
  await take({ onnx: readExport('free-probabilities') });
  holds(t, await answers(), exportAnswers.plain);
});

test('float16 in and out is cast at both ends', async (t) => {
  const { take, answers } = await setUp(t);
  await take({ onnx: readExport('half-logits'), logits: true });
  holds(t, await answers(), exportAnswers.plain, 2e-3);
});

test('a size of 0 is taken from the graph, and one that the graph has not is told', async (t) => {
  const { take } = await setUp(t);
  const none = { ...draft.inputSpec, widthPx: 0, heightPx: 0 };
  const { manifest } = await take({ onnx: readExport('free-probabilities'), inputSpec: none });
  t.deepEqual([manifest.inputSpec.widthPx, manifest.inputSpec.heightPx], [16, 12]);
  const other = { ...draft.inputSpec, widthPx: 12 };
  await t.throwsAsync(take({ onnx: readExport('free-probabilities'), inputSpec: other }), {
    instanceOf: DomainError,
    message: /to be .*float32 or float16 \[N, 2, 12, 12\], got float32 \[\?, 2, 12, 16\]$/,
  });
});

test('a uint8 graph with a free batch is kept byte for byte', async (t) => {
  const { take, store } = await setUp(t);
  const onnx = tinyModel();
  const rest = { labels: tinyLabels, inputSpec: tinyInput, thresholds: tinyLabels.map(() => 0.5) };
  const { manifest } = await take({ onnx, ...rest });
  t.deepEqual(new Uint8Array(await store.readFile(manifest, 'model.onnx')), onnx);
});

test('what cannot be served is refused with what to do, and nothing is written', async (t) => {
  const { take, store } = await setUp(t);
  const fixed = readExport('fixed-logits');
  const free = readExport('free-probabilities');
  const tiny = { labels: tinyLabels, inputSpec: tinyInput, thresholds: tinyLabels.map(() => 0.5) };
  type Given = Partial<Parameters<typeof take>[0]> & { readonly onnx: Uint8Array };
  const cases: readonly (readonly [Given, string, RegExp])[] = [
    // The end alone tells.
    [{ onnx: fixed }, 'model_failed', /ends in Gemm, as logits do: with --logits/],
    // Only some frame's answer tells: a mean of 0 to 255.
    [
      { onnx: tinyModel({ isRaw: true, bias: -0.2 }), ...tiny },
      'model_failed',
      /^expected probabilities of 0 to 1, got -0\.2\d* for .* of a black frame, .*--logits/,
    ],
    // The one place that bounds it, for the command line and for calls.
    [
      { onnx: free, inputSpec: { ...draft.inputSpec, widthPx: 8193 } },
      'option_invalid',
      /^expected an input of 1 to 8192 pixels, got 8193 x 12$/,
    ],
    [{ onnx: free, logits: true }, 'option_invalid', /logits: .* got one with Sigmoid/],
    [
      { onnx: readExport('batch-mean'), logits: true },
      'model_failed',
      /in a batch of two as alone, .*fixes the batch at 1; .* dynamic axis/,
    ],
    [
      { onnx: tinyModel(), ...tiny, scaling: { mean: [0.5] } },
      'option_invalid',
      /^mean: expected none for a graph of uint8/,
    ],
    [
      { onnx: free, scaling: { mean: [0, 0, 0], std: [0], scale: -1 } },
      'option_invalid',
      /^scale: .*; mean: expected 1 or 2 numbers, got 3; std: expected numbers above 0, got 0$/,
    ],
    [{ onnx: withType(free, 11) }, 'model_failed', /float16 \[N, 2, 12, 16\], got double/],
    [{ onnx: new Uint8Array(9) }, 'model_failed', /^expected an ONNX model/],
    [{ onnx: feedingItself(free) }, 'model_failed', /^the graph feeds itself at "probabilities"$/],
    [{ onnx: weightsElsewhere(free) }, 'model_failed', /whose weights lie in another file/],
    [
      { onnx: free, labels: ['a', 'b'], thresholds: [0.5, 0.5] },
      'model_failed',
      /^expected output "probabilities" to be float32 or float16 \[N, 2\], got float32 \[\?, 3\]$/,
    ],
  ];
  for (const [given, code, message] of cases) {
    await t.throwsAsync(take(given), { instanceOf: DomainError, code, message });
  }
  t.deepEqual(await store.names(), []);
});

test('an answer that is no number is refused with the frame that shows it', async (t) => {
  const { take } = await setUp(t);
  const proto = ModelProto.decode(readExport('free-probabilities'));
  // The root of what is negative for dark frames alone.
  for (const node of proto.graph?.node ?? []) if (node.opType === 'Sigmoid') node.opType = 'Sqrt';
  const error = await t.throwsAsync(take({ onnx: ModelProto.encode(proto).finish() }), {
    code: 'model_failed',
  });
  t.regex(error?.message ?? '', /^expected probabilities of 0 to 1, got NaN for \w+ of a [a-z ]+$/);
});

/** The same file with another type of its input; 11 is float64. */
function withType(model: Uint8Array, elemType: number): Uint8Array {
  const proto = ModelProto.decode(model);
  const type = proto.graph?.input[0]?.type?.value;
  if (type?.$case === 'tensorType') type.value.elemType = elemType;
  return ModelProto.encode(proto).finish();
}

/** The same file, whose last node reads what it gives. */
function feedingItself(model: Uint8Array): Uint8Array {
  const proto = ModelProto.decode(model);
  const last = proto.graph?.node.at(-1);
  if (!last) throw new Error('expected a graph with nodes');
  Object.assign(last, { opType: 'Identity', input: last.output });
  return ModelProto.encode(proto).finish();
}

function weightsElsewhere(model: Uint8Array): Uint8Array {
  const proto = ModelProto.decode(model);
  const [tensor] = proto.graph?.initializer ?? [];
  if (!tensor) throw new Error('expected a graph with weights');
  tensor.dataLocation = 1;
  tensor.rawData = undefined;
  tensor.externalData = [{ key: 'location', value: 'weights.bin' }];
  return ModelProto.encode(proto).finish();
}
