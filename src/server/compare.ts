import { isDeepStrictEqual } from 'node:util';
import type { Classifier } from '../classify/index.js';
import { type DatasetFrame, openDataset, readFrame, resolveDataPath } from '../dataset/index.js';
import { DomainError } from '../errors.js';
import { chooseFrames, classifyWhole, compareVersions } from '../evaluation/index.js';
import { type Handle, type ModelStore, type Registry, readSeenFrames } from '../models/index.js';
import type { Compare } from '../rpc/index.js';

export interface CompareCollaborators {
  readonly registry: Registry;
  readonly classifier: Classifier;
  /** Where the versions say what they have met. */
  readonly store: Pick<ModelStore, 'readFile'>;
}

/**
 * `Evaluate` of the contract with another version beside: both answer every frame of a
 * dataset of the server, or those that are of a part for both, one after the other, each read
 * as its input spec wants.
 *
 * Throws `verb_unfit` for versions of other labels, and what evaluating throws.
 */
export function createCompare(
  /** null: paths are resolved already. */
  { dataRoots }: { readonly dataRoots: readonly string[] | null },
  { registry, classifier, store }: CompareCollaborators,
): Compare {
  return async ({ dataPath, model, compareWith, part }, { onProgress, signal }) => {
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
        const open = ({ manifest }: Handle) =>
          openDataset(path, { channels: manifest.inputSpec.channels, labels });
        const ofFirst = await open(first);
        const takeTheSame = isDeepStrictEqual(
          first.manifest.inputSpec.channels,
          second.manifest.inputSpec.channels,
        );
        const datasets = [ofFirst, takeTheSame ? ofFirst : await open(second)] as const;
        const versions = await Promise.all(
          [first, second].map(async (handle) => ({
            ref: refOf(handle),
            seen: await readSeenFrames(handle.manifest, store),
            channels: handle.manifest.inputSpec.channels,
          })),
        );
        const { frames, seen } = await chooseFrames(datasets[0], versions, part);
        const answered = async (handle: Handle, before: 0 | 1) => {
          const dataset = datasets[before];
          const rows = await classifyWhole<DatasetFrame, Handle>(
            { dataset, frames },
            { classifier, handle, readFrame: (frame) => readFrame(dataset, frame) },
            {
              onProgress: (done) => onProgress(before * frames.length + done, 2 * frames.length),
              signal,
            },
          );
          return { ref: refOf(handle), rows, thresholds: handle.manifest.thresholds };
        };
        const one = await answered(first, 0);
        const other = await answered(second, 1);
        const compared = await compareVersions(
          [one, other],
          { labels, groups: frames.map(({ group }) => group) },
          { signal },
        );
        const comparison = {
          ...compared,
          first: { ...compared.first, seen: seen[0] },
          second: { ...compared.second, seen: seen[1] },
        };
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
