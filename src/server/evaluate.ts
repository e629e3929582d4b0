import type { Classifier } from '../classify/index.js';
import { type DatasetFrame, openDataset, readFrame, resolveDataPath } from '../dataset/index.js';
import { chooseFrames, evaluateDataset } from '../evaluation/index.js';
import { type Handle, type ModelStore, type Registry, readSeenFrames } from '../models/index.js';
import type { Evaluate } from '../rpc/index.js';

export interface EvaluateCollaborators {
  readonly registry: Registry;
  readonly classifier: Classifier;
  /** Where the versions say what they have met. */
  readonly store: Pick<ModelStore, 'readFile'>;
}

/** `Evaluate` of the contract: the frames of a dataset of the server, or a part of them, scored. */
export function createEvaluate(
  /** null: paths are resolved already. */
  { dataRoots }: { readonly dataRoots: readonly string[] | null },
  { registry, classifier, store }: EvaluateCollaborators,
): Evaluate {
  return async ({ dataPath, model, doubtCount, part }, { onProgress, signal }) => {
    const path = dataRoots === null ? dataPath : await resolveDataPath(dataPath, dataRoots);
    const handle = await registry.acquire(model);
    try {
      const { name, version: number, labels, inputSpec } = handle.manifest;
      const dataset = await openDataset(path, { channels: inputSpec.channels, labels });
      const version = {
        ref: `${name}@${number}`,
        seen: await readSeenFrames(handle.manifest, store),
      };
      const { frames, seen } = await chooseFrames(dataset, [version], part);
      const { report } = await evaluateDataset<DatasetFrame, Handle>(
        { dataset, frames },
        { classifier, handle, readFrame: (frame) => readFrame(dataset, frame) },
        { onProgress, signal, doubtCount },
      );
      const { 0: met } = seen;
      return { modelName: name, modelVersion: number, inputSpec, report: { ...report, seen: met } };
    } finally {
      handle.release();
    }
  };
}
