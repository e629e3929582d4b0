import { readFile } from 'node:fs/promises';
import type { ModelImport } from '../client/index.js';
import { hpaLabels } from '../label-set.js';
import { UsageError } from './failure.js';
import { readForeignModel } from './foreign-model.js';

/** The options of `models import`; of `onnx`, `keras` and `tfjs` one is expected. */
export interface DraftOptions {
  readonly name: string;
  readonly onnx?: string | undefined;
  readonly keras?: string | undefined;
  readonly tfjs?: string | undefined;
  readonly labels?: string | undefined;
  readonly channels?: string | undefined;
  readonly size?: number | undefined;
  readonly resize: 'bilinear' | 'area';
  readonly threshold?: number | undefined;
}

/**
 * What the options say of a model made elsewhere, held against what its file says.
 * Throws a `UsageError` where they differ, and as `readForeignModel`.
 */
export async function readDraft(options: DraftOptions): Promise<ModelImport> {
  const { onnx, keras, tfjs, size, resize, threshold } = options;
  const [path, ...others] = [onnx, keras, tfjs].filter((file) => file !== undefined);
  if (path === undefined || others.length > 0) {
    throw new UsageError('expected one of --onnx, --keras and --tfjs');
  }
  const labels =
    options.labels === undefined
      ? hpaLabels
      : (await readFile(options.labels, 'utf8'))
          .split(/\r?\n/)
          .map((line) => line.trim())
          .filter((line) => line !== '');
  const { hpaChannels } = await import('../frames/index.js');
  const channels = options.channels?.split(',') ?? hpaChannels;
  const foreign = onnx === undefined ? await readForeignModel(path) : null;
  const { heightPx, widthPx } = foreign ?? { heightPx: size ?? 128, widthPx: size ?? 128 };
  if (foreign) {
    const { channelCount, labelCount } = foreign;
    const faults = [
      ...differs('channels', channelCount, channels.length),
      ...differs('labels', labelCount, labels.length),
      ...(size === undefined ? [] : differs('size', widthPx, size)),
    ];
    if (faults.length > 0) throw new UsageError(faults.join('; '));
  }
  return {
    name: options.name,
    onnx: foreign?.onnx ?? (await readFile(path)),
    labels,
    inputSpec: { channels, widthPx, heightPx, resize },
    ...(threshold === undefined ? {} : { thresholds: labels.map(() => threshold) }),
  };
}

function differs(what: string, inFile: number, given: number): readonly string[] {
  return inFile === given ? [] : [`--${what}: expected ${inFile} as in the file, got ${given}`];
}
