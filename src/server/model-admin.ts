import type { Registry, StoredModel } from '../models/index.js';
import type { ModelAdmin, ModelDescription } from '../rpc/index.js';
import type { PromoteThroughGates } from './promotion.js';

export interface ModelAdminCollaborators {
  readonly registry: Registry;
  readonly promote: PromoteThroughGates;
}

/** The registry as `ModelService` sees it. `onChange` is called after each change of it. */
export function toModelAdmin(
  { registry, promote }: ModelAdminCollaborators,
  onChange: () => void,
): ModelAdmin {
  return {
    // Without the trainings: a thousand epochs a version would make the list too long.
    list: async () =>
      (await registry.list()).map((model) => ({ ...describe(model), training: null })),
    describe: async (ref) => describe(await registry.get(ref)),
    async promote(name, version, asked) {
      const model = await promote(name, version, asked);
      onChange();
      return describe(model);
    },
    async rollback(name) {
      const model = await registry.rollback(name);
      onChange();
      return describe(model);
    },
    import: async (draft) => describe(await registry.import(draft)),
  };
}

function describe({ manifest, ...stored }: StoredModel): ModelDescription {
  const { name, version, labels, thresholds, thresholdsSource } = manifest;
  const { calibration, drift, inputSpec, scores, training } = manifest;
  return {
    ...stored,
    precision: stored.precision ?? '',
    name,
    version,
    labels,
    thresholds,
    thresholdsSource,
    calibration,
    drift,
    explains: manifest.explanation !== null,
    inputSpec,
    scores,
    createdAtMs: Date.parse(manifest.createdAt),
    runId: manifest.runId ?? '',
    training,
    parent: manifest.parent ?? '',
    datasetFingerprint: manifest.datasetFingerprint ?? '',
    sha256: manifest.files['model.onnx'] ?? '',
  };
}
