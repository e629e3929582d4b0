import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ModelImport } from '../client/index.js';
import type { DescribedGraph } from '../graph/index.js';
import { hpaLabels } from '../label-set.js';
import { UsageError } from './failure.js';
import { readForeignModel } from './foreign-model.js';
import { type InputSize, readLabelFile } from './input-options.js';

/** The options of `models import`; of `onnx`, `keras` and `tfjs` one is expected. */
export interface DraftOptions {
  readonly name: string;
  readonly onnx?: string | undefined;
  readonly keras?: string | undefined;
  readonly tfjs?: string | undefined;
  readonly labels?: string | undefined;
  readonly channels?: readonly string[] | undefined;
  readonly size?: InputSize | undefined;
  readonly scale?: number | undefined;
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
  readonly logits?: true | undefined;
  readonly resize?: 'bilinear' | 'area' | undefined;
  readonly threshold?: number | undefined;
}

/**
 * What the options say of a model made elsewhere, held against what its file says.
 * Throws a `UsageError` where they differ, and as `readForeignModel`.
 */
export async function readDraft(options: DraftOptions): Promise<ModelImport> {
  const { onnx, keras, tfjs, size, resize = 'bilinear', threshold } = options;
  const [path, ...others] = [onnx, keras, tfjs].filter((file) => file !== undefined);
  if (path === undefined || others.length > 0) {
    throw new UsageError('expected one of --onnx, --keras and --tfjs');
  }
  const labels = options.labels === undefined ? hpaLabels : await readLabelFile(options.labels);
  const { hpaChannels } = await import('../frames/index.js');
  const channels = options.channels ?? hpaChannels;
  const foreign = onnx === undefined ? await readForeignModel(path) : await readOnnxFile(path);
  const { channelCount, labelCount } = foreign;
  const faults = [
    ...differs('channels', channelCount, channels.length),
    ...differs('labels', labelCount, labels.length),
    ...(size === undefined ? [] : sizeDiffers(foreign, size)),
    ...(onnx === undefined ? withoutOnnx(options) : []),
  ];
  const [widthPx, heightPx] = [
    size?.widthPx ?? foreign.widthPx,
    size?.heightPx ?? foreign.heightPx,
  ];
  if (widthPx === null || heightPx === null) {
    faults.push('--size: expected one, as the file takes any');
  }
  if (faults.length > 0 || widthPx === null || heightPx === null) {
    throw new UsageError(faults.join('; '));
  }
  const { scale, mean, std, logits = false } = options;
  return {
    name: options.name,
    onnx: foreign.onnx,
    labels,
    inputSpec: { channels, widthPx, heightPx, resize },
    ...(threshold === undefined ? {} : { thresholds: labels.map(() => threshold) }),
    scaling: {
      ...(scale === undefined ? {} : { scale }),
      ...(mean === undefined ? {} : { mean }),
      ...(std === undefined ? {} : { std }),
    },
    logits,
  };
}

/** An ONNX file with the weights in it that lie in files beside it, and what it says of itself. */
async function readOnnxFile(path: string): Promise<{ readonly onnx: Uint8Array } & DescribedGraph> {
  const { describeForeignGraph, inlineExternalData } = await import('../graph/index.js');
  const readBeside = (name: string) =>
    readFile(join(dirname(path), name)).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ENOENT') throw cause;
      throw new UsageError(`--onnx: expected ${name}, its weights, beside ${basename(path)}`);
    });
  const onnx = await inlineExternalData(await readFile(path), readBeside);
  return { onnx, ...describeForeignGraph(onnx) };
}

/** What only an ONNX file can be given. */
function withoutOnnx(options: DraftOptions): readonly string[] {
  return (['scale', 'mean', 'std', 'logits'] as const)
    .filter((name) => options[name] !== undefined)
    .map((name) => `--${name}: expected with --onnx only`);
}

function differs(what: string, inFile: number | null, given: number): readonly string[] {
  if (inFile === null || inFile === given) return [];
  return [`--${what}: expected ${inFile} as in the file, got ${given}`];
}

function sizeDiffers(inFile: Omit<DescribedGraph, 'labelCount'>, size: InputSize): string[] {
  const { widthPx, heightPx } = size;
  const [width, height] = [inFile.widthPx ?? widthPx, inFile.heightPx ?? heightPx];
  if (width === widthPx && height === heightPx) return [];
  return [`--size: expected ${width}x${height} as in the file, got ${widthPx}x${heightPx}`];
}
