import type { Priority } from '../../batching/index.js';
import type { Outcome } from '../../classify/index.js';
import type { EvaluatedPart, GateMetric, Intervals } from '../../evaluation/index.js';
import type { Encoding, PixelType, QualityFlag, Resize } from '../../frames/index.js';
import * as classifier from '../../gen/cytostream/v1/classifier.js';
import * as frame from '../../gen/cytostream/v1/frame.js';
import * as model from '../../gen/cytostream/v1/model.js';
import * as trainer from '../../gen/cytostream/v1/trainer.js';
import type { RunSpec, RunState } from '../../training/index.js';

/** A closed list of words, in both directions. */
export interface EnumTable<Word extends string> {
  /** The word of a number on the wire; null for a number that the contract does not know. */
  parse(number: number): Word | null;
  toWire(word: Word): number;
  /** The words, for the message of a fault. */
  readonly words: readonly Word[];
}

/** `unspecified` is what 0 means; null where 0 means nothing. */
function table<Word extends string>(
  numbers: Readonly<Record<Word, number>>,
  unspecified: Word | null,
): EnumTable<Word> {
  const words = Object.keys(numbers) as Word[]; // the keys of a Record<Word, …>
  const byNumber = new Map(words.map((word) => [numbers[word], word]));
  return {
    parse: (number) => (number === 0 ? unspecified : (byNumber.get(number) ?? null)),
    toWire: (word) => numbers[word],
    words,
  };
}

/** In which order predictions come back. */
export type Delivery = 'asCompleted' | 'inOrder';
/** What happens to a frame that comes while its stream is full. */
export type Overflow = 'block' | 'dropOldest' | 'latestOnly';
/** Where a version is on its way through memory. */
export type WireModelState =
  | 'stored'
  | 'loading'
  | 'warming'
  | 'ready'
  | 'draining'
  | 'gone'
  | 'failed';

export const pixelTypes = table<PixelType>(
  {
    uint8: frame.PixelType.UINT8,
    uint16: frame.PixelType.UINT16_LE,
    float32: frame.PixelType.FLOAT32_LE,
  },
  'uint8',
);
export const encodings = table<Encoding>(
  {
    raw: frame.Encoding.RAW,
    png: frame.Encoding.PNG,
    tiff: frame.Encoding.TIFF,
    jpeg: frame.Encoding.JPEG,
  },
  'raw',
);
export const deliveries = table<Delivery>(
  { asCompleted: classifier.Delivery.AS_COMPLETED, inOrder: classifier.Delivery.IN_ORDER },
  'asCompleted',
);
export const overflows = table<Overflow>(
  {
    block: classifier.Overflow.BLOCK,
    dropOldest: classifier.Overflow.DROP_OLDEST,
    latestOnly: classifier.Overflow.LATEST_ONLY,
  },
  'block',
);
export const priorities = table<Priority>(
  {
    high: classifier.Priority.HIGH,
    normal: classifier.Priority.NORMAL,
    low: classifier.Priority.LOW,
  },
  'normal',
);
export const outcomes = table<Outcome>(
  {
    ok: classifier.Outcome.OK,
    invalid: classifier.Outcome.INVALID,
    shed: classifier.Outcome.SHED,
    expired: classifier.Outcome.EXPIRED,
    superseded: classifier.Outcome.SUPERSEDED,
    failed: classifier.Outcome.FAILED,
  },
  null,
);
export const qualityFlags = table<QualityFlag>(
  {
    plane_empty: classifier.QualityFlag.PLANE_EMPTY,
    saturated: classifier.QualityFlag.SATURATED,
    dim: classifier.QualityFlag.DIM,
  },
  null,
);
export const resizes = table<Resize>(
  { bilinear: model.Resize.BILINEAR, area: model.Resize.AREA },
  'bilinear',
);
export const modelStates = table<WireModelState>(
  {
    stored: model.ModelState.STORED,
    loading: model.ModelState.LOADING,
    warming: model.ModelState.WARMING,
    ready: model.ModelState.READY,
    draining: model.ModelState.DRAINING,
    gone: model.ModelState.GONE,
    failed: model.ModelState.FAILED,
  },
  null,
);
export const splits = table<RunSpec['split']>(
  { auto: trainer.Split.UNSPECIFIED, first: trainer.Split.FIRST, group: trainer.Split.GROUP },
  'auto',
);
export const losses = table<RunSpec['loss']>(
  { bce: trainer.Loss.BCE, weighted: trainer.Loss.WEIGHTED, focal: trainer.Loss.FOCAL },
  'bce',
);
export const samplings = table<RunSpec['sampling']>(
  { shuffled: trainer.Sampling.SHUFFLED, balanced: trainer.Sampling.BALANCED },
  'shuffled',
);
export const augmentations = table<RunSpec['augmentation']>(
  {
    none: trainer.Augmentation.NONE,
    cells: trainer.Augmentation.CELLS,
    sizes: trainer.Augmentation.SIZES,
  },
  'none',
);
export const trainingEngines = table<RunSpec['engine']>(
  {
    onnxruntime: trainer.TrainingEngine.ONNXRUNTIME,
    tensorflow: trainer.TrainingEngine.TENSORFLOW,
  },
  'onnxruntime',
);
export const schedules = table<RunSpec['schedule']>(
  { decay: trainer.Schedule.DECAY, cosine: trainer.Schedule.COSINE },
  'decay',
);
export const optimisers = table<RunSpec['optimiser']>(
  { adam: trainer.Optimiser.ADAM, adamw: trainer.Optimiser.ADAMW },
  'adam',
);
export const runStates = table<RunState>(
  {
    running: trainer.RunState.RUNNING,
    finished: trainer.RunState.FINISHED,
    stopped: trainer.RunState.STOPPED,
    failed: trainer.RunState.FAILED,
  },
  null,
);

/** What confidence intervals are drawn over. */
export const resampledUnits = table<Intervals['unit']>(
  {
    frame: trainer.ResampledUnit.FRAME,
    group: trainer.ResampledUnit.GROUP,
  },
  'frame',
);

/** What a gate looks at. */
export const gateMetrics = table<GateMetric>(
  {
    macro_f1_present: model.GateMetric.MACRO_F1_PRESENT,
    macro_f1: model.GateMetric.MACRO_F1,
    micro_f1: model.GateMetric.MICRO_F1,
    exact_match: model.GateMetric.EXACT_MATCH,
    macro_average_precision_present: model.GateMetric.MACRO_AVERAGE_PRECISION_PRESENT,
  },
  'macro_f1_present',
);

export const evaluatedParts = table<EvaluatedPart>(
  {
    all: trainer.EvaluatedPart.ALL,
    unseen: trainer.EvaluatedPart.UNSEEN,
    validation: trainer.EvaluatedPart.VALIDATION,
  },
  'all',
);
