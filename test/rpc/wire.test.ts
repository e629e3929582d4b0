import test from 'ava';
import {
  ClassifyRequest,
  ClassifyResponse,
  Prediction,
} from '../../src/gen/cytostream/v1/classifier.js';
import { type Encoding, Frame, type PixelType } from '../../src/gen/cytostream/v1/frame.js';
import { ImportModelRequest, Model } from '../../src/gen/cytostream/v1/model.js';
import {
  Report as WireReport,
  RunEvent as WireRunEvent,
  RunSpec as WireRunSpec,
} from '../../src/gen/cytostream/v1/trainer.js';
import { cutFrameId, parseFrame, toWireFrame } from '../../src/rpc/wire/frame.js';
import {
  fromWireModel,
  type ModelDescription,
  parseModelDraft,
  toWireModel,
} from '../../src/rpc/wire/model.js';
import {
  type Answer,
  fromWirePrediction,
  parseStreamOptions,
  toWirePrediction,
  toWireStreamOptions,
} from '../../src/rpc/wire/prediction.js';
import { fromWireReport, toWireReport } from '../../src/rpc/wire/report.js';
import {
  fromWireRunEvent,
  fromWireRunSpec,
  toWireRunEvent,
  toWireRunSpec,
} from '../../src/rpc/wire/run.js';
import type { RunEvent, RunSpec } from '../../src/training/index.js';
import { inputSpec, tinyFrame } from './fakes.js';

const answer: Answer = {
  frameId: '0f8fad5b-d9cb-469f-a165-70867728950e-000000123456-field-12',
  outcome: 'ok',
  message: '',
  probabilities: Float32Array.from({ length: 28 }, (_, index) => (index + 1) / 29),
  labelIndices: [0, 5, 14, 21, 25, 27],
  distance: 1.25,
  explanation: undefined,
  version: 300,
  batchSize: 32,
  qualityFlags: ['saturated', 'dim'],
  timings: { receiveMs: 12.345, prepareMs: 20.5, queueMs: 400, runMs: 120, totalMs: 600 },
};

test('an explanation comes back from the wire as it went', (t) => {
  const map = {
    ...{ labelIndex: 3, widthPx: 2, heightPx: 1, levels: Uint8Array.of(0, 255), peak: 0.5 },
    box: { left: 0.25, top: 0, right: 0.75, bottom: 1 },
  };
  const explanation = { maps: [map], embedding: Float32Array.of(1, 0, 2.5), runMs: 7.5 };
  const wire = Prediction.encode(toWirePrediction({ ...answer, explanation })).finish();
  const read = fromWirePrediction(Prediction.decode(wire)).explanation;
  t.deepEqual(
    read?.maps.map(({ levels, ...rest }) => ({ ...rest, levels: [...levels] })),
    [{ ...map, levels: [0, 255] }],
  );
  t.deepEqual(read?.embedding, explanation.embedding);
  t.is(read?.runMs, 7.5);
});

test('a frame asks for at most 64 labels by name', (t) => {
  const labels = Array.from({ length: 65 }, (_, at) => String(at));
  const parsed = parseFrame(toWireFrame({ ...tinyFrame('a'), explain: { labels } }));
  t.deepEqual(parsed, { faults: ['explain.labels: expected at most 64, got 65'] });
  const fits = parseFrame(toWireFrame({ ...tinyFrame('a'), explain: { labels: ['x'] } }));
  t.like(fits, { value: { explain: { labels: ['x'], givenLabels: false, embedding: false } } });
  t.like(parseFrame(toWireFrame(tinyFrame('a'))), { value: { explain: null } });
});

test('the largest answer for 28 labels and an id of 47 bytes takes 249, longer ids their length more', (t) => {
  const most = 2 ** 32 - 1;
  const longestMs = most / 1000;
  const bytesOf = (frameId: string): number => {
    const largest: Answer = {
      ...{ frameId, outcome: 'ok', message: '', version: most, distance: 3.25 },
      probabilities: new Float32Array(28).fill(0.999),
      labelIndices: Array.from({ length: 28 }, (_, index) => index),
      batchSize: 1024, // the largest that a setting allows
      qualityFlags: ['plane_empty', 'saturated', 'dim'],
      timings: {
        ...{ receiveMs: longestMs, prepareMs: longestMs, queueMs: longestMs },
        ...{ runMs: longestMs, totalMs: longestMs },
      },
    };
    const message = { $case: 'prediction' as const, value: toWirePrediction(largest) };
    return ClassifyResponse.encode({ message }).finish().length;
  };
  t.is(bytesOf('x'.repeat(47)), 249);
  t.is(bytesOf('x'.repeat(127)), 249 + 80);
});

test('a prediction comes back from the wire as it went', (t) => {
  const back = fromWirePrediction(toWirePrediction(answer));
  t.deepEqual(
    { ...back, probabilities: [...back.probabilities] },
    {
      ...answer,
      probabilities: [...answer.probabilities],
    },
  );
});

test('a frame comes back from the wire as it went, its planes as views of the message', (t) => {
  const frame = { ...tinyFrame('a', 7), deadlineMs: 30 };
  const message = { $case: 'frame' as const, value: toWireFrame(frame) };
  const bytes = Buffer.from(ClassifyRequest.encode({ message }).finish());
  const decoded = ClassifyRequest.decode(bytes).message;
  const parsed = decoded?.$case === 'frame' ? parseFrame(decoded.value) : { faults: ['no frame'] };
  if ('faults' in parsed) throw new Error(parsed.faults.join());
  t.is(parsed.value.deadlineMs, 30);
  t.deepEqual(
    parsed.value.frame.planes.map((plane) => ({ ...plane, bytes: [...plane.bytes] })),
    frame.planes.map((plane) => ({ ...plane, bytes: [...plane.bytes] })),
  );
  for (const plane of parsed.value.frame.planes) t.is(plane.bytes.buffer, bytes.buffer);
});

test('the colours of the Human Protein Atlas are read as roles', (t) => {
  const wire = toWireFrame(tinyFrame('a'));
  const colours = ['red', 'green', 'blue', 'yellow'];
  const parsed = parseFrame({
    ...wire,
    planes: colours.map((channel) => ({ channel, pixels: new Uint8Array(16) })),
  });
  t.deepEqual(
    'value' in parsed ? parsed.value.frame.planes.map(({ channel }) => channel) : parsed.faults,
    [...inputSpec.channels],
  );
});

test('a frame that is wrong in many ways tells all of them', (t) => {
  const parsed = parseFrame(
    Frame.fromPartial({
      frameId: 'ü'.repeat(65),
      pixelType: 9 as PixelType, // numbers that the contract does not know: protobuf lets them pass
      encoding: -4 as Encoding,
      significantBits: 17,
      pixelSizeUm: Number.NaN,
    }),
  );
  t.deepEqual('faults' in parsed ? parsed.faults : [], [
    'frame_id: expected at most 128 bytes, got 130',
    'pixel_type: expected 0 to 3, got 9',
    'encoding: expected 0 to 4, got -4',
    'significant_bits: expected at most 16, got 17',
    'planes: expected one per channel, got none',
    'pixel_size_um: expected 0 or more, got NaN',
  ]);
});

test('an encoded frame may say its significant bits without a pixel type', (t) => {
  const wire = toWireFrame(tinyFrame('a'));
  const bitsOf = (significantBits: number, encoding: Encoding, pixelType: PixelType) => {
    const parsed = parseFrame({ ...wire, significantBits, encoding, pixelType });
    return 'value' in parsed ? parsed.value.frame.significantBits : parsed.faults.join();
  };
  for (const pixelType of [0, 1, 2, 3] as PixelType[]) {
    t.is(bitsOf(12, 2, pixelType), 12);
    t.is(bitsOf(12, 3, pixelType), 12);
    t.is(bitsOf(17, 2, pixelType), 'significant_bits: expected at most 16, got 17');
    t.is(bitsOf(12, 4, pixelType), 'significant_bits: expected at most 8, got 12');
  }
  t.is(bitsOf(12, 1, 0), 'significant_bits: expected at most 8, got 12');
  t.is(bitsOf(12, 1, 2), 12);
});

test('an id that is too long comes back cut within its limit, at a whole character', (t) => {
  t.is(cutFrameId('x'.repeat(128)), 'x'.repeat(128));
  t.is(cutFrameId('x'.repeat(10_000)), 'x'.repeat(128));
  t.is(cutFrameId('\u00e9'.repeat(65)), '\u00e9'.repeat(64));
  t.is(cutFrameId(`x${'\u{1f52c}'.repeat(32)}`), `x${'\u{1f52c}'.repeat(31)}`);
});

test('stream options that are wrong in many ways tell all of them', (t) => {
  const wire = { ...toWireStreamOptions({}), delivery: 3, overflow: 4, priority: 9 };
  const parsed = parseStreamOptions({ ...wire, model: 'x'.repeat(300) });
  t.is('faults' in parsed ? parsed.faults.length : 0, 4);
});

const spec: RunSpec = {
  dataPath: '/data',
  model: 'cells',
  network: 'seed-cnn',
  epochs: 3,
  batchSize: 32,
  share: 0.5,
  trainingPart: 0.8,
  split: 'group',
  seed: 7,
  learningRate: 1e-3,
  patience: 6,
  promote: true,
  loss: 'focal',
  focalGamma: 1.5,
  maxPositiveWeight: 20,
  sampling: 'balanced',
  augmentation: 'cells',
  engine: 'tensorflow',
  schedule: 'cosine',
  warmUp: 0.1,
  optimiser: 'adamw',
  weightDecay: 0.05,
  clipNorm: 1,
  emaDecay: 0.999,
  heldOut: 0.2,
  parent: 'cells@3',
  freeze: ['conv1', 'conv2'],
  inputSpec: { channels: ['nucleus', 'actin'], widthPx: 64, heightPx: 48, resize: 'area' },
  labels: ['round', 'long'],
};

test('a run spec keeps what is given, and leaves out what is not', (t) => {
  t.deepEqual(fromWireRunSpec(toWireRunSpec(spec)), { ...spec });
  t.deepEqual(fromWireRunSpec(toWireRunSpec({ model: 'cells' })), {
    model: 'cells',
    promote: false,
  });
  const partly = { inputSpec: { widthPx: 64 }, labels: [] };
  t.deepEqual(fromWireRunSpec(toWireRunSpec(partly)), {
    inputSpec: { widthPx: 64 },
    promote: false,
  });
  const wire = { ...toWireRunSpec(spec), loss: 9, schedule: 8 };
  t.like(fromWireRunSpec(wire), { loss: 9, schedule: 8, sampling: 'balanced' });
});

test('a number of a run spec that is 0 arrives as 0, and one that is not given as none', (t) => {
  const zeros: Partial<RunSpec> = {
    ...{ epochs: 0, batchSize: 0, share: 0, trainingPart: 0, seed: 0, learningRate: 0 },
    ...{ patience: 0, focalGamma: 0, maxPositiveWeight: 0, warmUp: 0, weightDecay: 0 },
    ...{ clipNorm: 0, emaDecay: 0, heldOut: 0 },
  };
  const numbers = Object.entries(spec).filter(([, value]) => typeof value === 'number');
  t.deepEqual(Object.keys(zeros).sort(), numbers.map(([name]) => name).sort());
  const sent = (given: Partial<RunSpec>) =>
    fromWireRunSpec(WireRunSpec.decode(WireRunSpec.encode(toWireRunSpec(given)).finish()));
  t.deepEqual(sent(zeros), { ...zeros, promote: false });
  t.deepEqual(sent({}), { promote: false });
});

const at = { number: 4, runId: 'r1', atMs: 1_700_000_000_123 };
const events: readonly RunEvent[] = [
  {
    ...at,
    kind: 'started',
    spec,
    parameterCount: 5_217_340,
    trainingFrames: 8,
    validationFrames: 2,
    stepsDone: 812,
    device: 'onnxruntime/cuda+cpu',
    deviceNote: 'a step: parts of it run on cpu',
    movedFrames: 12,
    isParentUnknown: true,
  },
  { ...at, kind: 'framesLoaded', loaded: 4, total: 10 },
  { ...at, kind: 'step', epoch: 1, step: 2, stepsInEpoch: 3, loss: 0.25, framesPerSecond: 20.5 },
  {
    ...at,
    kind: 'epoch',
    epoch: 2,
    trainingLoss: 0.5,
    trainingAccuracy: 0.9,
    trainingMacroF1Present: 0.4,
    trainingMacroAveragePrecisionPresent: 0.55,
    validationLoss: 0.6,
    validationAccuracy: 0.8,
    validationMacroF1Present: 0.375,
    validationMacroAveragePrecisionPresent: 0.45,
    validationMacroF1: 0.3,
    alwaysNoAccuracy: 0.95,
    seconds: 12.5,
    best: true,
  },
  { ...at, kind: 'published', model: 'cells', version: 3 },
  { ...at, kind: 'resumed' },
  { ...at, kind: 'ended', state: 'stopped', reason: 'asked to' },
];
test('a score that is none stays none on the wire', (t) => {
  const epoch = events.find((event) => event.kind === 'epoch');
  const absent = { ...epoch!, trainingMacroF1Present: Number.NaN };
  const bytes = WireRunEvent.encode(toWireRunEvent(absent)).finish();
  t.deepEqual(fromWireRunEvent(WireRunEvent.decode(bytes)), absent);
});

for (const event of events) {
  test(`a run event of the kind ${event.kind} comes back from the wire as it went`, (t) => {
    const bytes = WireRunEvent.encode(toWireRunEvent(event)).finish();
    t.deepEqual(fromWireRunEvent(WireRunEvent.decode(bytes)), event);
  });
}

test('a report comes back from the wire as it went, absent scores stay absent', (t) => {
  const interval = { low: 0.2, high: 0.4 };
  const label = { label: 'a', support: 2, wronglyGiven: 1, threshold: 0.5 };
  const nothing = { precision: null, recall: null, f1: null };
  const of = {
    modelName: 'cells',
    modelVersion: 2,
    inputSpec,
    report: {
      frameCount: 3,
      binaryAccuracy: 0.25,
      alwaysNoAccuracy: 0.5,
      exactMatch: 0,
      ...{ microPrecision: 0.11, microRecall: 0.12, microF1: 0.1 },
      ...{ macroPrecision: 0.21, macroRecall: 0.22, macroF1: 0.2 },
      ...{ macroPrecisionPresent: 0.31, macroRecallPresent: 0.32, macroF1Present: 0.3 },
      macroF1TrueOrGiven: 0.15,
      ...{ weightedPrecision: 0.41, weightedRecall: 0.42, weightedF1: 0.43 },
      expectedCalibrationError: 0.01,
      expectedCalibrationErrorPresent: 0.02,
      reliabilityPresent: [{ meanProbability: 0.15, trueShare: 0.14, count: 2 }],
      reliability: [{ meanProbability: 0.05, trueShare: 0.04, count: 12 }],
      pairs: [
        { missed: 0, given: 1, count: 3 },
        { missed: null, given: 0, count: 2 },
        { missed: 1, given: null, count: 1 },
      ],
      intervals: {
        ...{ level: 0.95, resampleCount: 1000, unit: 'group' as const, unitCount: 7 },
        ...{ macroF1: interval, macroF1Present: interval, microF1: interval },
        ...{ exactMatch: interval, binaryAccuracy: interval, labels: [null, interval] },
        macroF1TrueOrGiven: interval,
        ...{ weightedF1: interval, macroAurocPresent: interval },
        macroAveragePrecisionPresent: null,
        rankings: [
          { auroc: interval, averagePrecision: interval },
          { auroc: null, averagePrecision: null },
        ],
      },
      doubts: [
        {
          id: 'f-1',
          doubts: [
            {
              ...{ label: 0, isGiven: true, probability: 0.1, expected: 0.2 },
              ...{ selfConfidence: 0.1, usualConfidence: 0.7 },
            },
            {
              ...{ label: 1, isGiven: false, probability: 0.8, expected: 0.7 },
              ...{ selfConfidence: 0.2, usualConfidence: 0.9 },
            },
          ],
        },
      ],
      macroAurocPresent: 0.4,
      macroAveragePrecisionPresent: 0.5,
      meanBinaryCrossEntropy: 0.6,
      drift: { threshold: 1.5, beyondShare: 0.25 },
      seen: {
        ...{ part: 'unseen' as const, datasetFrameCount: 9, isParentUnknown: true },
        counts: { trainedOn: 0, validatedOn: 1, heldOut: 2 },
      },
      labels: [
        { ...label, ...nothing, support: 0, auroc: null, averagePrecision: null },
        { ...label, precision: 0, recall: 0.5, f1: 0, auroc: 0, averagePrecision: 0.5 },
      ],
    },
  };
  const there = (sent: typeof of) =>
    fromWireReport(WireReport.decode(WireReport.encode(toWireReport(sent)).finish()));
  t.deepEqual(there(of), of);
  const seen = { ...of.report.seen, counts: null };
  t.deepEqual(there({ ...of, report: { ...of.report, seen } } as never).report.seen, seen);
});

const scores = {
  ...{ frameCount: 5, loss: 1, binaryAccuracy: 0.5, alwaysNoAccuracy: 0.75, macroF1: 0.25 },
  ...{ macroF1Present: 0.5, macroAveragePrecisionPresent: 0.625 },
  atThresholds: { binaryAccuracy: 0.875, macroF1: 0.375, macroF1Present: 0.75 },
};

test('a model comes back from the wire as it went', (t) => {
  const model = {
    name: 'cells',
    version: 3,
    state: 'ready' as const,
    aliases: ['live'],
    labels: ['a', 'b'],
    thresholds: [0.5, 0.25],
    thresholdsSource: 'default 0.5',
    calibration: { temperature: 1.5, errorBefore: 0.1, errorAfter: 0.02, frameCount: 40 },
    explains: true,
    drift: { threshold: 1.5, source: '99 % of 40 validation frames are nearer' },
    inputSpec,
    scores,
    createdAtMs: 1_700_000_000_123,
    runId: 'r1',
    training: {
      spec: {
        model: 'cells',
        seed: 0,
        freeze: ['conv1'],
        promote: true,
        setting: 'of another release',
      },
      history: [{ epoch: 1, trainingLoss: 0.5, trainingMacroF1Present: null, best: true }],
    },
    parent: 'cells@2',
    datasetFingerprint: 'f0',
    sha256: 'aa',
    device: 'onnxruntime/cpu',
    precision: 'full',
    precisionNote: 'a weight is too large',
    resizeNote: '1024 x 1024 uint16 in the graph',
    failure: '',
  };
  const sent = (of: ModelDescription) =>
    fromWireModel(Model.decode(Model.encode(toWireModel(of)).finish()));
  t.deepEqual(sent(model), model);
  // Of a version from before they were kept.
  const before = { macroF1Present: null, macroAveragePrecisionPresent: null, atThresholds: null };
  const earlier = { ...model, training: null, scores: { ...scores, ...before } };
  t.deepEqual(sent(earlier), earlier);
});

test('an import that is wrong in many ways tells all of them', (t) => {
  const parsed = parseModelDraft(
    ImportModelRequest.fromPartial({ labels: ['a', 'a'], thresholds: [2] }),
  );
  t.deepEqual('faults' in parsed ? parsed.faults : [], [
    'name: expected one, got none',
    'onnx: expected an ONNX ModelProto, got no bytes',
    'labels: expected each name once',
    'thresholds: expected none or one per label (2), got 1',
    'thresholds: expected 0 to 1',
    'input_spec: expected one, got none',
  ]);
});
