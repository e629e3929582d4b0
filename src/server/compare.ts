import type { Classifier } from '../classify/index.js';
import { type DatasetFrame, openDataset, readFrame, resolveDataPath } from '../dataset/index.js';
import { DomainError } from '../errors.js';
import { classifyWhole, compareVersions } from '../evaluation/index.js';
import type { Handle, Registry } from '../models/index.js';
import type { Compare } from '../rpc/index.js';

export interface CompareCollaborators {
  readonly registry: Registry;
  readonly classifier: Classifier;
}

/**
 * `Evaluate` of the contract with another version beside: both answer every frame of a
 * dataset of the server, one after the other, each read as its input spec wants.
 *
 * Throws `verb_unfit` for versions of other labels, and what evaluating throws.
 */
export function createCompare(
  /** null: paths are resolved already. */
  { dataRoots }: { readonly dataRoots: readonly string[] | null },
  { registry, classifier }: CompareCollaborators,
): Compare {
  return async ({ dataPath, model, compareWith }, { onProgress, signal }) => {
    const path = dataRoots === null ? dataPath : await resolveDataPath(dataPath, dataRoots);
    const first = await registry.acquire(model);
    try {
      const second = await registry.acquire(compareWith);
      try {
        const { labels } = first.manifest;
        if (labels.join('\n') !== second.manifest.labels.join('\n')) {
          throw new DomainError(
            'verb_unfit',
            `expected versions of the same labels, got ${refOf(first)} and ${refOf(second)}`,
          );
        }
        const answered = async (handle: Handle, before: 0 | 1) => {
          const { channels } = handle.manifest.inputSpec;
          const dataset = await openDataset(path, { channels, labels });
          const { frames } = dataset;
          const rows = await classifyWhole<DatasetFrame, Handle>(
            { dataset, frames },
            { classifier, handle, readFrame: (frame) => readFrame(dataset, frame) },
            {
              onProgress: (done) => onProgress(before * frames.length + done, 2 * frames.length),
              signal,
            },
          );
          const contender = { ref: refOf(handle), rows, thresholds: handle.manifest.thresholds };
          return { contender, groups: frames.map(({ group }) => group) };
        };
        const one = await answered(first, 0);
        const other = await answered(second, 1);
        const comparison = await compareVersions(
          [one.contender, other.contender],
          { labels, groups: one.groups },
          { signal },
        );
        return { comparison, first: described(first), second: described(second) };
      } finally {
        second.release();
      }
    } finally {
      first.release();
    }
  };
}

const refOf = ({ manifest: { name, version } }: Handle): string => `${name}@${version}`;

const described = ({ manifest: { name, version, inputSpec } }: Handle) => ({
  ...{ modelName: name, modelVersion: version, inputSpec },
});
