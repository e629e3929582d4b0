import type { Classifier } from '../classify/index.js';
import {
  type Dataset,
  type DatasetFrame,
  openDataset,
  readFrame,
  resolveDataPath,
} from '../dataset/index.js';
import {
  chooseFrames,
  type EvaluatedPart,
  evaluateDataset,
  type PredictionRow,
  type Report,
} from '../evaluation/index.js';
import { type Handle, type ModelStore, type Registry, readSeenFrames } from '../models/index.js';
import type { Evaluate } from '../rpc/index.js';

export interface EvaluateCollaborators {
  readonly registry: Registry;
  readonly classifier: Classifier;
  /** Where the versions say what they have met. */
  readonly store: Pick<ModelStore, 'readFile'>;
}

/** What a version gave for a dataset, or a part of it. */
export interface EvaluatedVersion {
  readonly report: Report;
  readonly dataset: Dataset;
  /** Those that were scored. */
  readonly frames: readonly DatasetFrame[];
  /** In the order of the frames. */
  readonly rows: readonly PredictionRow[];
}

/** `Evaluate` of the contract: the frames of a dataset of the server, or a part of them, scored. */
export function createEvaluate(
  { dataRoots }: { readonly dataRoots: readonly string[] },
  { registry, ...collaborators }: EvaluateCollaborators,
): Evaluate {
  return async ({ dataPath, model, ...wish }, way) => {
    const path = await resolveDataPath(dataPath, dataRoots);
    const handle = await registry.acquire(model);
    try {
      const { name, version, inputSpec } = handle.manifest;
      const { report } = await evaluateVersion({ handle, path, ...wish }, collaborators, way);
      return { modelName: name, modelVersion: version, inputSpec, report };
    } finally {
      handle.release();
    }
  };
}

/**
 * Scores a version on loan on the dataset at a path, or a part of it. Throws as `openDataset`,
 * `chooseFrames` and `evaluateDataset`.
 */
export async function evaluateVersion(
  {
    handle,
    path,
    part,
    doubtCount,
  }: {
    readonly handle: Handle;
    readonly path: string;
    readonly part: EvaluatedPart;
    readonly doubtCount: number;
  },
  { classifier, store }: Omit<EvaluateCollaborators, 'registry'>,
  way: Parameters<Evaluate>[1],
): Promise<EvaluatedVersion> {
  const { name, version, labels, inputSpec } = handle.manifest;
  const dataset = await openDataset(path, { channels: inputSpec.channels, labels });
  const seenBy = { ref: `${name}@${version}`, seen: await readSeenFrames(handle.manifest, store) };
  const { frames, seen } = await chooseFrames(dataset, [seenBy], part);
  const { report, rows } = await evaluateDataset<DatasetFrame, Handle>(
    { dataset, frames },
    { classifier, handle, readFrame: (frame) => readFrame(dataset, frame) },
    { ...way, doubtCount },
  );
  return { report: { ...report, seen: seen[0] }, dataset, frames, rows };
}
