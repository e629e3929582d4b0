/**
 * How an operator takes part in a graph of half precision.
 *
 * `computes`: what half precision is for, wherever it stands but directly before the end.
 * `carries`: follows what it reads, so that values stay in half between those that compute;
 * its result is no larger than a few times what it reads.
 */
export interface HalfOperator {
  readonly role: 'computes' | 'carries';
  /** Which inputs have the type that becomes half; others keep theirs. @default all */
  readonly inputs?: readonly number[];
  /** Whether every input that is no constant must be in half already, or it stays. @default false */
  readonly wantsAll?: boolean;
}

const computes: HalfOperator = { role: 'computes' };
const carries: HalfOperator = { role: 'carries' };
const carriesFirst: HalfOperator = { role: 'carries', inputs: [0] };

/**
 * The operators of ONNX that may run in half precision. Every other stays in float32, as do
 * all of other domains: sums over many values and what normalises with them (ReduceMean,
 * ReduceL2, LayerNormalization, InstanceNormalization), whose squares leave half's range at
 * 256; dense layers (Gemm), which are a hundredth of a network's work, and whose rounded weights add
 * up in one direction where many inputs are alike: with them in half a trained first network's
 * logits moved by 0.05, without by 2e-4; exponentials and what ends a network (Sigmoid, Softmax, Exp, Log, Erf, Pow, Sqrt); and
 * whatever is not known here. A new line is an operator whose result cannot be much larger
 * than what it reads.
 */
export const halfOperators: Readonly<Record<string, HalfOperator>> = {
  Conv: computes,
  ConvTranspose: computes,
  MatMul: computes,
  Add: carries,
  AveragePool: carries,
  BatchNormalization: carries,
  Clip: carries,
  Concat: { role: 'carries', wantsAll: true },
  DepthToSpace: carries,
  Dropout: carriesFirst,
  Expand: carriesFirst,
  Flatten: carries,
  GlobalAveragePool: carries,
  GlobalMaxPool: carries,
  HardSigmoid: carries,
  Identity: carries,
  LeakyRelu: carries,
  Max: { role: 'carries', wantsAll: true },
  MaxPool: carries,
  Mul: carries,
  PRelu: carries,
  Pad: { role: 'carries', inputs: [0, 2] },
  Relu: carries,
  Reshape: carriesFirst,
  Slice: carriesFirst,
  SpaceToDepth: carries,
  Split: carriesFirst,
  Squeeze: carriesFirst,
  Sub: carries,
  Sum: { role: 'carries', wantsAll: true },
  Transpose: carries,
  Unsqueeze: carriesFirst,
};
