import { resolve } from 'node:path';
import type { Dataset, DatasetFrame } from '../dataset/index.js';
import type { Evaluation } from '../evaluation/index.js';
import type { Handle, Manifest } from '../models/index.js';
import type { Parts } from '../server.js';
import type { Terminal } from './terminal.js';
import { withProgress } from './with-progress.js';

/** A version with what it answered to a dataset. */
export interface Evaluated extends Evaluation {
  readonly manifest: Manifest;
  readonly dataset: Dataset;
}

/** Scores a version on a folder in place, under a bar. Throws as `evaluateDataset` does. */
export async function evaluateVersion(
  {
    data,
    model,
    doubts = 0,
  }: {
    readonly data: string;
    readonly model: string;
    readonly doubts?: number | undefined;
  },
  { registry, classifier }: Pick<Parts, 'registry' | 'classifier'>,
  terminal: Terminal,
): Promise<Evaluated> {
  const { openDataset, readFrame } = await import('../dataset/index.js');
  const { evaluateDataset } = await import('../evaluation/index.js');
  const handle = await registry.acquire(model);
  try {
    const { manifest } = handle;
    const { labels, inputSpec, name, version } = manifest;
    const dataset = await openDataset(resolve(data), { channels: inputSpec.channels, labels });
    const { frames } = dataset;
    const bar = { title: `evaluating ${name}@${version}`, unit: 'frames', total: frames.length };
    const evaluation = await withProgress(bar, terminal, (way) =>
      evaluateDataset<DatasetFrame, Handle>(
        { dataset, frames },
        { classifier, handle, readFrame: (frame) => readFrame(dataset, frame) },
        { ...way, doubtCount: doubts },
      ),
    );
    return { ...evaluation, manifest, dataset };
  } finally {
    handle.release();
  }
}
