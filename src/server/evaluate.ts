import type { Classifier } from '../classify/index.js';
import { type DatasetFrame, openDataset, readFrame, resolveDataPath } from '../dataset/index.js';
import { evaluateDataset } from '../evaluation/index.js';
import type { Handle, Registry } from '../models/index.js';
import type { Evaluate } from '../rpc/index.js';

export interface EvaluateCollaborators {
  readonly registry: Registry;
  readonly classifier: Classifier;
}

/** `Evaluate` of the contract: every frame of a dataset of the server, scored. */
export function createEvaluate(
  /** null: paths are resolved already. */
  { dataRoots }: { readonly dataRoots: readonly string[] | null },
  { registry, classifier }: EvaluateCollaborators,
): Evaluate {
  return async ({ dataPath, model, doubtCount }, { onProgress, signal }) => {
    const path = dataRoots === null ? dataPath : await resolveDataPath(dataPath, dataRoots);
    const handle = await registry.acquire(model);
    try {
      const { name, version, labels, inputSpec } = handle.manifest;
      const dataset = await openDataset(path, { channels: inputSpec.channels, labels });
      const { report } = await evaluateDataset<DatasetFrame, Handle>(
        { dataset, frames: dataset.frames },
        { classifier, handle, readFrame: (frame) => readFrame(dataset, frame) },
        { onProgress, signal, doubtCount },
      );
      return { modelName: name, modelVersion: version, inputSpec, report };
    } finally {
      handle.release();
    }
  };
}
