import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ModelProto, TensorProto } from '../../src/gen/onnx/onnx.js';
import { openModelStore } from '../../src/models/index.js';
import { tinyModel } from '../engines/tiny-models.js';
import { exportLabels, exportsFolder, readExport } from '../graph/onnx-exports.js';
import { furthest } from '../interchange/trained.js';
import { makeFolder } from '../make-folder.js';
import { startSmallServer } from '../small-server.js';
import { runCli } from './run-cli.js';

const fixed = join(exportsFolder, 'fixed-logits.onnx');

async function folders(t: ExecutionContext) {
  const folder = await makeFolder(t);
  const labels = join(folder, 'labels.txt');
  await writeFile(labels, exportLabels.join('\n'));
  const models = join(folder, 'models');
  const describe = ['--labels', labels, '--channels', 'nucleus,protein'];
  const run = (...args: readonly string[]) =>
    runCli(['models', 'import', '--name', 'cells', ...args]);
  return { folder, models, describe, run };
}

test('size, channels and labels are read from an ONNX file', async (t) => {
  const { models, describe, run } = await folders(t);
  const scaling = ['--scale', '1/255', '--mean', '0.25,0.4', '--std', '0.5'];
  const { stderr, exitCode } = await run(
    ...['--onnx', fixed, '--logits', ...scaling, ...describe, '--models', models],
  );
  t.is(exitCode, 0, stderr);
  const { inputSpec } = await (await openModelStore(models)).read('cells@1');
  t.like(inputSpec, { widthPx: 16, heightPx: 12, channels: ['nucleus', 'protein'] });
});

test('what contradicts an ONNX file, or cannot be read in it, is told before anything is written', async (t) => {
  const { folder, models, describe, run } = await folders(t);
  const any = join(folder, 'any.onnx');
  await writeFile(any, withFreeSize(readExport('free-probabilities')));
  const keras = join(exportsFolder, '../keras/keras3.keras');
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [
      ['--onnx', fixed, '--size', '16', ...describe],
      /--size: expected 16x12 as in the file, got 16x16/,
    ],
    [
      ['--onnx', fixed],
      /--channels: expected 2 as in the file, got 4; --labels: expected 3 as in the file, got 28/,
    ],
    [['--onnx', any, ...describe], /--size: expected one, as the file takes any/],
    [
      ['--keras', keras, '--logits', '--mean', '0.5'],
      /--mean: expected with --onnx only; --logits/,
    ],
    [['--onnx', fixed, '--size', '16x'], /--size .*Expected WIDTHxHEIGHT or an edge/],
    [['--onnx', fixed, '--scale', '1/0'], /--scale .*Expected a number above 0/],
    [['--onnx', fixed, '--mean', '0.5,'], /--mean .*Expected numbers with commas/],
  ];
  for (const [args, message] of cases) {
    const { stderr, exitCode } = await run(...args, '--models', models);
    t.is(exitCode, 2, stderr);
    t.regex(stderr, message);
  }
  t.deepEqual(await (await openModelStore(models)).names(), []);
});

test('a width and a height are given where the file takes any', async (t) => {
  const { folder, models, describe, run } = await folders(t);
  const any = join(folder, 'any.onnx');
  await writeFile(any, withFreeSize(readExport('free-probabilities')));
  const { stderr, exitCode } = await run(
    ...['--onnx', any, '--size', '16x12', ...describe, '--models', models],
  );
  t.is(exitCode, 0, stderr);
  const { inputSpec } = await (await openModelStore(models)).read('cells@1');
  t.like(inputSpec, { widthPx: 16, heightPx: 12 });
});

test('weights that lie in a file beside the model come along', async (t) => {
  const { folder, models, describe, run } = await folders(t);
  const whole = ['--onnx', join(exportsFolder, 'free-probabilities.onnx'), ...describe];
  t.is((await run(...whole, '--models', models)).exitCode, 0);
  const { model, weights } = split(readExport('free-probabilities'), 'parts/model.data');
  await mkdir(join(folder, 'parts'));
  const path = join(folder, 'model.onnx');
  await writeFile(path, model);
  const missing = await run('--onnx', path, ...describe, '--models', models);
  t.is(missing.exitCode, 2);
  t.regex(missing.stderr, /expected parts\/model\.data, its weights, beside model\.onnx/);

  await writeFile(join(folder, 'parts/model.data'), weights);
  const { stderr, exitCode } = await run('--onnx', path, ...describe, '--models', models);
  t.is(exitCode, 0, stderr);
  const store = await openModelStore(models);
  const [first, second] = [await store.read('cells@1'), await store.read('cells@2')];
  t.is(furthest(second.goldenOutput, first.goldenOutput), 0);

  await writeFile(path, split(readExport('free-probabilities'), '../model.data').model);
  const above = await run('--onnx', path, ...describe, '--models', models);
  t.is(above.exitCode, 1);
  t.regex(above.stderr, /expected \S+ in a file beside the model/);
  await writeFile(join(folder, 'parts/model.data'), weights.subarray(1));
  await writeFile(path, model);
  const short = await run('--onnx', path, ...describe, '--models', models);
  t.regex(short.stderr, /expected bytes \d+ to \d+ of parts\/model\.data for .*, got a file of/);
});

test('a model above the message limit is refused with the way there is, and that way works', async (t) => {
  const { folder, models, run } = await folders(t);
  const labels = join(folder, 'four.txt');
  await writeFile(labels, 'a\nb\nc\nd\n');
  const path = join(folder, 'large.onnx');
  await writeFile(path, withBallast(tinyModel(), 65 * 2 ** 20));
  const { address } = await startSmallServer(t, { drafts: [] });
  const sent = await run('--onnx', path, '--labels', labels, '--server', address);
  t.is(sent.exitCode, 1);
  t.regex(
    sent.stderr,
    /expected a model of at most 64 MiB, the largest message, got 65\.0 MiB: .* without --server/,
  );
  const { stderr, exitCode } = await run('--onnx', path, '--labels', labels, '--models', models);
  t.is(exitCode, 0, stderr);
});

/** The same graph for frames of any size, as an export with dynamic axes says it. */
function withFreeSize(bytes: Uint8Array): Uint8Array {
  const proto = ModelProto.decode(bytes);
  const type = proto.graph?.input[0]?.type?.value;
  const dims = type?.$case === 'tensorType' ? (type.value.shape?.dim ?? []) : [];
  for (const [axis, dim] of dims.entries()) {
    if (axis >= 2) dim.value = { $case: 'dimParam', value: `size${axis}` };
  }
  return ModelProto.encode(proto).finish();
}

/** A model and its weights apart, as exporters write large ones: onnx/onnx, docs/ExternalData.md. */
function split(bytes: Uint8Array, location: string) {
  const proto = ModelProto.decode(bytes);
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const tensor of proto.graph?.initializer ?? []) {
    const raw = tensor.rawData ?? new Uint8Array();
    if (raw.length === 0) continue;
    parts.push(raw);
    tensor.externalData = [
      { key: 'location', value: location },
      { key: 'offset', value: String(offset) },
      { key: 'length', value: String(raw.length) },
    ];
    tensor.dataLocation = 1;
    tensor.rawData = undefined;
    offset += raw.length;
  }
  return { model: ModelProto.encode(proto).finish(), weights: Buffer.concat(parts) };
}

/** The same model with a weight of so many bytes that no node reads. */
function withBallast(bytes: Uint8Array, byteLength: number): Uint8Array {
  const proto = ModelProto.decode(bytes);
  proto.graph?.initializer.push(
    TensorProto.fromPartial({
      name: 'ballast',
      dataType: 1,
      dims: [byteLength / 4],
      rawData: new Uint8Array(byteLength),
    }),
  );
  return ModelProto.encode(proto).finish();
}
