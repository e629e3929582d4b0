import { join } from 'node:path';
import { type Client, credentials, loadPackageDefinition, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import test, { type ExecutionContext } from 'ava';
import { connect } from '../../src/client/index.js';
import { createFakeEngine, fakeProbabilities } from '../../src/engines/index.js';
import { DomainError } from '../../src/errors.js';
import { packageRoot } from '../../src/package-root.js';
import type { PixelClassifierLike } from '../../src/rpc/index.js';
import { findPython, runScript } from '../python/python.js';
import { smallInput, smallLabels, smallRowBytes, smallRows } from '../small-frames.js';
import { fakeDraft, startSmallServer } from '../small-server.js';
import { openTestPort, sample } from './fakes.js';

type Answer = Record<string, unknown>;
type Failure = { readonly code: number; readonly details: string };

/** A client made from the protocol's file alone, as any language would make one. */
function connectInference(t: ExecutionContext, address: string) {
  const file = 'inference/open_inference_grpc.proto';
  const includeDirs = [join(packageRoot, 'third_party')];
  const definition = loadSync(file, { includeDirs, keepCase: true, longs: Number, defaults: true });
  // biome-ignore lint/suspicious/noExplicitAny: what proto-loader makes has no static type
  const { inference } = loadPackageDefinition(definition) as any;
  const client: Client = new inference.GRPCInferenceService(address, credentials.createInsecure());
  t.teardown(() => client.close());
  const ask = (method: string, request: object, options = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const done = (error: Failure | null, answer: Answer) =>
        error === null ? resolve(answer) : reject(error);
      // biome-ignore lint/suspicious/noExplicitAny: as above
      (client as any)[method](request, options, done);
    });
  const refusal = (method: string, request: object, options = {}): Promise<Failure> =>
    ask(method, request, options).then(
      (answer) => {
        throw new Error(`${method} was answered: ${JSON.stringify(answer)}`);
      },
      ({ code, details }: Failure) => ({ code, details }),
    );
  return { ask, refusal };
}

const rawRequest = (pixels: Uint8Array, more: object = {}) => ({
  model_name: 'cells',
  id: 'seven',
  inputs: [{ name: 'pixels', datatype: 'UINT8', shape: [pixels.length / smallRowBytes, 4, 8, 8] }],
  raw_input_contents: [pixels],
  ...more,
});

/** What the fake engine answers for these rows, row by row. */
const expectedRows = (pixels: Uint8Array): number[][] =>
  Array.from({ length: pixels.length / smallRowBytes }, (_, row) => [
    ...fakeProbabilities(
      pixels.subarray(row * smallRowBytes, (row + 1) * smallRowBytes),
      smallLabels.length,
    ),
  ]);

const floatsOf = (bytes: Buffer) =>
  Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4));

test('raw rows come back as raw probabilities, typed rows as typed ones', async (t) => {
  const { address } = await startSmallServer(t);
  const { ask } = connectInference(t, address);
  const pixels = smallRows(3);
  const raw = await ask('ModelInfer', rawRequest(pixels));
  t.like(raw, { model_name: 'cells', model_version: '1', id: 'seven' });
  t.like(raw['outputs'], [{ name: 'probabilities', datatype: 'FP32', shape: [3, 3] }]);
  const [bytes] = raw['raw_output_contents'] as Buffer[];
  t.deepEqual(floatsOf(bytes as Buffer), expectedRows(pixels).flat());

  const [input] = rawRequest(pixels).inputs;
  const typed = await ask('ModelInfer', {
    ...rawRequest(pixels, { model_version: '1', raw_input_contents: [] }),
    inputs: [{ ...input, contents: { uint_contents: [...pixels] } }],
    outputs: [{ name: 'probabilities' }],
  });
  t.deepEqual(typed['raw_output_contents'], []);
  const [output] = typed['outputs'] as { contents: { fp32_contents: number[] } }[];
  t.deepEqual(output?.contents.fp32_contents, expectedRows(pixels).flat());
});

test('server and models tell of themselves', async (t) => {
  const { address } = await startSmallServer(t, {
    drafts: [fakeDraft('cells'), fakeDraft('cells'), fakeDraft('other')],
  });
  const { ask, refusal } = connectInference(t, address);
  t.deepEqual(await ask('ServerLive', {}), { live: true });
  t.deepEqual(await ask('ServerReady', {}), { ready: true });
  t.like(await ask('ServerMetadata', {}), { name: 'cytostream' });
  t.deepEqual(await ask('ModelMetadata', { name: 'cells' }), {
    name: 'cells',
    versions: ['1', '2'],
    platform: 'onnxruntime_onnx',
    inputs: [{ name: 'pixels', datatype: 'UINT8', shape: [-1, 4, 8, 8] }],
    outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [-1, 3] }],
    parameters: { device: { string_param: 'fake/cpu' }, precision: { string_param: 'full' } },
  });
  const { config } = await ask('ModelConfig', { name: 'cells' });
  t.like(config, { name: 'cells', max_batch_size: 512, backend: 'onnxruntime' });
  const stateOf = async (request: object) =>
    ((await ask('RepositoryIndex', request))['models'] as { name: string }[]).map((model) =>
      Object.values(model).slice(0, 3).join(' '),
    );
  t.deepEqual((await stateOf({})).sort(), [
    'cells 1 READY',
    'cells 2 UNAVAILABLE',
    'other 1 READY',
  ]);
  t.deepEqual((await stateOf({ ready: true })).sort(), ['cells 1 READY', 'other 1 READY']);
  t.deepEqual(await ask('ModelReady', { name: 'cells' }), { ready: true });
  t.deepEqual(await ask('ModelReady', { name: 'cells', version: '2' }), { ready: true });
  t.deepEqual(await ask('ModelReady', { name: 'cells', version: '3' }), { ready: false });
  t.deepEqual(await ask('ModelReady', { name: 'nothing' }), { ready: false });
  for (const method of ['ModelMetadata', 'ModelConfig']) {
    t.is((await refusal(method, { name: 'nothing' })).code, status.NOT_FOUND);
  }
});

test('ready means that a model can answer', async (t) => {
  const { rpc, address } = await openTestPort(t);
  const { ask } = connectInference(t, address);
  t.deepEqual(await ask('ServerReady', {}), { ready: false });
  rpc.setServing({ server: true, classifier: true });
  t.deepEqual(await ask('ServerReady', {}), { ready: true });
});

test('what does not fit is refused with what was expected and what came', async (t) => {
  const { address } = await startSmallServer(t, { config: { maxStreamFrames: 4 } });
  const { refusal, ask } = connectInference(t, address);
  const pixels = smallRows(2);
  const [input] = rawRequest(pixels).inputs;
  const shared = { shared_memory_region: { string_param: 'region' } };
  const invalid: [object, RegExp][] = [
    [{ inputs: [] }, /^expected one input "pixels", got none$/],
    [{ inputs: [input, { ...input, name: 'mask' }] }, /got pixels, mask$/],
    [{ inputs: [{ ...input, name: 'x' }] }, /^inputs: expected "pixels", got "x"$/],
    [
      { inputs: [{ ...input, datatype: 'FP32', shape: [2, 4, 8] }] },
      /^datatype: expected UINT8, got "FP32"; shape: expected \[N, 4, 8, 8\], got \[2, 4, 8\]$/,
    ],
    [{ inputs: [{ ...input, shape: [-1, 4, 8, 8] }] }, /got \[-1, 4, 8, 8\]$/],
    [{ inputs: [{ ...input, shape: [5, 4, 8, 8] }] }, /at most 4 rows, got 5$/],
    [
      { inputs: [{ ...input, shape: [3, 4, 8, 8] }] },
      /^expected 768 bytes in raw_input_contents for \[3, 4, 8, 8\], got 512$/,
    ],
    [{ raw_input_contents: [] }, /^expected 512 values in uint_contents .* got 0$/],
    [{ raw_input_contents: [pixels, pixels] }, /expected one for the input, got 2$/],
    [{ inputs: [{ ...input, contents: { uint_contents: [1] } }] }, /got both$/],
    [
      {
        raw_input_contents: [],
        inputs: [{ ...input, contents: { uint_contents: [...pixels.subarray(1), 256] } }],
      },
      /^uint_contents: expected 0 to 255, got 256$/,
    ],
    [{ outputs: [{ name: 'logits' }] }, /^outputs: expected "probabilities", got "logits"$/],
    [{ parameters: { timeout: { string_param: 'soon' } } }, /^timeout: expected 0 or more/],
  ];
  for (const [more, message] of invalid) {
    const { code, details } = await refusal('ModelInfer', rawRequest(pixels, more));
    t.is(code, status.INVALID_ARGUMENT, details);
    t.regex(details, message);
  }
  const codeOf = async (more: object) =>
    (await refusal('ModelInfer', rawRequest(pixels, more))).code;
  t.is(await codeOf({ model_name: 'nothing' }), status.NOT_FOUND);
  t.is(await codeOf({ model_version: '9' }), status.NOT_FOUND);
  t.is(await codeOf({ inputs: [{ ...input, parameters: shared }] }), status.UNIMPLEMENTED);
  const classes = { classification: { int64_param: 2 } };
  const outputs = [{ name: 'probabilities', parameters: classes }];
  t.is(await codeOf({ outputs }), status.UNIMPLEMENTED);
  t.is(await codeOf({ parameters: { timeout: { int64_param: 1 } } }), status.DEADLINE_EXCEEDED);
  // And after all that it still answers.
  t.truthy(await ask('ModelInfer', rawRequest(pixels)));
});

test('typed contents and fields beyond measure are refused before they are taken apart', async (t) => {
  const { address } = await startSmallServer(t);
  const { refusal } = connectInference(t, address);
  const [input] = rawRequest(smallRows(1)).inputs;
  const contents = { uint_contents: new Array(3_000_000).fill(1) };
  const large = await refusal('ModelInfer', {
    model_name: 'cells',
    inputs: [{ ...input, contents }],
  });
  t.is(large.code, status.INVALID_ARGUMENT);
  t.regex(large.details, /^expected at most 2097152 bytes of typed contents: /);
  const many = await refusal('ModelInfer', { inputs: new Array(2000).fill({}) });
  t.is(many.details, 'expected at most 1000 fields in a message');
  const nested = await refusal('ModelInfer', {
    inputs: [{ contents: { bytes_contents: new Array(2000).fill(Buffer.alloc(0)) } }],
  });
  t.is(nested.details, 'expected at most 1000 fields in a message');
});

test('rows share a batch with the frames of other callers', async (t) => {
  let open = () => {};
  let gate: Promise<void> | null = null;
  let isHeld = () => {};
  const held = new Promise<void>((resolve) => {
    isHeld = resolve;
  });
  const engine = createFakeEngine({
    runMs: 1,
    async wait() {
      if (gate === null) return;
      isHeld();
      await gate;
    },
  });
  const { address, server } = await startSmallServer(t, { engine });
  const { ask } = connectInference(t, address);
  const client = connect(address);
  t.teardown(() => client.close());
  const frame = {
    id: 'a',
    widthPx: 8,
    heightPx: 8,
    pixelType: 'uint8' as const,
    significantBits: 0,
    encoding: 'raw' as const,
    planes: smallInput.channels.map((channel) => ({ channel, bytes: new Uint8Array(64) })),
  };
  gate = new Promise((resolve) => {
    open = resolve;
  });
  const first = ask('ModelInfer', rawRequest(smallRows(1)));
  await held; // the engine is busy: what comes now waits for company
  const rows = ask('ModelInfer', rawRequest(smallRows(2, 5)));
  const classified = client.classifyFrame(frame);
  const [version] = server.parts.registry.loaded();
  t.is(version?.manifest.name, 'cells');
  while ((server.parts.registry.loaded()[0]?.queuedFrames ?? 0) < 3) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  open();
  t.is((await classified).prediction.batchSize, 3);
  const [bytes] = (await rows)['raw_output_contents'] as Buffer[];
  t.deepEqual(floatsOf(bytes as Buffer), expectedRows(smallRows(2, 5)).flat());
  await first;
  const { metrics } = server.parts;
  t.is(await sample(metrics, 'cytostream_frames_total', 'outcome="ok"'), 4);
});

test('a failed row fails its request and takes the others out; a caller who leaves does too', async (t) => {
  const asked: { readonly signal: AbortSignal; fail(error: Error): void }[] = [];
  let isFull = () => {};
  const full = new Promise<void>((resolve) => {
    isFull = resolve;
  });
  const { address, metrics } = await openTestPort(t, {
    pixelClassifier: {
      classifyPixels: (_pixels, _handle, { signal }) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason));
          if (signal) asked.push({ signal, fail: reject });
          if (asked.length === 3) isFull();
        }),
    },
  });
  const { refusal } = connectInference(t, address);
  const pixels = new Uint8Array(3 * 64);
  const inputs = [{ name: 'pixels', datatype: 'UINT8', shape: [3, 4, 4, 4] }];
  const request = { model_name: 'cells', inputs, raw_input_contents: [pixels] };
  const refused = refusal('ModelInfer', request);
  await full;
  asked[1]?.fail(new DomainError('overloaded', 'the queue is full'));
  t.deepEqual(await refused, { code: status.RESOURCE_EXHAUSTED, details: 'the queue is full' });
  t.true(asked.every(({ signal }, row) => row === 1 || signal.aborted));
  t.is(await sample(metrics, 'cytostream_frames_total', 'outcome="shed"'), 3);
  const late = await refusal('ModelInfer', request, { deadline: Date.now() + 20 });
  t.is(late.code, status.DEADLINE_EXCEEDED);
});

test('rows of a process of this server are kept; each request is a stream, its bytes are counted there', async (t) => {
  const ways: Parameters<PixelClassifierLike['classifyPixels']>[2][] = [];
  let answer = () => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const row = { probabilities: new Float32Array(28), batchSize: 1, queueMs: 0, runMs: 0 };
  const pixelClassifier: PixelClassifierLike = {
    async classifyPixels(_pixels, _handle, way) {
      ways.push(way);
      // The first request is not answered before all rows of the second are here.
      if (ways.length === 4) {
        text = (await metrics.expose()).text;
        answer();
      }
      await answered;
      return row;
    },
  };
  const pixels = new Uint8Array(2 * 64);
  const inputs = [{ name: 'pixels', datatype: 'UINT8', shape: [2, 4, 4, 4] }];
  const request = { model_name: 'cells', inputs, raw_input_contents: [pixels] };
  const options = { isInner: true, maxReceivedBytes: pixels.length };
  const { address, metrics } = await openTestPort(t, { pixelClassifier }, options);
  let text = '';
  const { ask } = connectInference(t, address);
  await Promise.all([ask('ModelInfer', request), ask('ModelInfer', request)]);
  t.regex(text, /^cytostream_received_bytes 0$/m);
  t.deepEqual(
    ways.map(({ whenFull }) => whenFull),
    ['keep', 'keep', 'keep', 'keep'],
  );
  t.is(new Set(ways.map(({ streamId }) => streamId)).size, 2);
});

test('a row that is not finite fails its request, but reaches a process of this server as it is', async (t) => {
  const pixelClassifier: PixelClassifierLike = {
    async classifyPixels([level = 0]) {
      const probabilities = new Float32Array(28).fill(level === 7 ? Number.NaN : 0.5);
      return { probabilities, batchSize: 2, queueMs: 0, runMs: 0 };
    },
  };
  const inputs = [{ name: 'pixels', datatype: 'UINT8', shape: [2, 4, 4, 4] }];
  const pixels = new Uint8Array(2 * 64).fill(7, 64);
  const request = { model_name: 'cells', inputs, raw_input_contents: [pixels] };
  const outer = await openTestPort(t, { pixelClassifier });
  const { code, details } = await connectInference(t, outer.address).refusal('ModelInfer', request);
  t.is(code, status.INTERNAL);
  t.regex(details, /^expected finite numbers, cells@1 gave NaN for label 1 of 28: /);
  t.is(await sample(outer.metrics, 'cytostream_frames_total', 'outcome="failed"'), 2);

  const inner = await openTestPort(t, { pixelClassifier }, { isInner: true });
  const answer = await connectInference(t, inner.address).ask('ModelInfer', request);
  const [bytes] = answer['raw_output_contents'] as Buffer[];
  const expected = Array.from({ length: 56 }, (_, at) => (at < 28 ? 0.5 : Number.NaN));
  t.deepEqual(floatsOf(bytes as Buffer), expected);
});

test("KServe's client works unchanged, with typed contents of a few frames too", async (t) => {
  const python = await findPython(t, ['kserve']);
  if (python === null) return;
  const { address } = await startSmallServer(t);
  const pixels = smallRows(5);
  const hex = Buffer.from(pixels).toString('hex');
  const seen = (await runScript(python, 'kserve_client.py', [address, 'cells', hex])) as Answer;
  const answer = ['probabilities', expectedRows(pixels)];
  t.like(seen, { live: true, ready: true, modelReady: true });
  t.deepEqual(seen['answers'], { typed: answer, raw: answer });
  const refusals = seen['refusals'] as Record<string, [string, string]>;
  t.is(refusals['model']?.[0], 'StatusCode.NOT_FOUND');
  t.is(refusals['large']?.[0], 'StatusCode.INVALID_ARGUMENT');
  t.regex(refusals['large']?.[1] ?? '', /at most 2097152 bytes of typed contents: send larger/);
});

test("NVIDIA's Triton client works unchanged", async (t) => {
  const python = await findPython(t, ['tritonclient.grpc', 'numpy']);
  if (python === null) return;
  const { address } = await startSmallServer(t);
  const pixels = smallRows(5);
  const hex = Buffer.from(pixels).toString('hex');
  const seen = (await runScript(python, 'triton_client.py', [address, 'cells', hex])) as Answer;
  const probabilities = expectedRows(pixels);
  t.like(seen, {
    live: true,
    ready: true,
    modelReady: [true, true, false],
    server: 'cytostream',
    answer: { id: 'request-7', version: '1', probabilities },
    urgent: probabilities,
  });
  t.like(seen['metadata'], { name: 'cells', platform: 'onnxruntime_onnx', versions: ['1'] });
  t.like(seen['config'], {
    max_batch_size: 512,
    input: [{ name: 'pixels', data_type: 'TYPE_UINT8' }],
  });
  t.like(seen['index'], { models: [{ name: 'cells', version: '1', state: 'READY' }] });
  const refusals = seen['refusals'] as Record<string, [string, string]>;
  t.deepEqual(Object.fromEntries(Object.entries(refusals).map(([what, [code]]) => [what, code])), {
    model: 'StatusCode.NOT_FOUND',
    version: 'StatusCode.NOT_FOUND',
    name: 'StatusCode.INVALID_ARGUMENT',
    shape: 'StatusCode.INVALID_ARGUMENT',
    type: 'StatusCode.INVALID_ARGUMENT',
    output: 'StatusCode.INVALID_ARGUMENT',
    classification: 'StatusCode.UNIMPLEMENTED',
    deadline: 'StatusCode.DEADLINE_EXCEEDED',
  });
  t.is(refusals['name']?.[1], 'inputs: expected "pixels", got "input"');
});
