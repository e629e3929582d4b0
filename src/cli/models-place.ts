import type { Client, ModelDescription, ModelImport, PromotionGate } from '../client/index.js';
import { openInPlace } from './in-place.js';

/** Where models are kept: a folder, or a server. */
export interface ModelsPlace {
  list(): Promise<readonly ModelDescription[]>;
  /** `ref`: "name", "name@3" or "name@candidate". Throws `model_unknown`. */
  get(ref: string): Promise<ModelDescription>;
  /** Makes a version live once its golden frame came out as recorded. */
  promote(name: string, version: number, gate?: PromotionGate): Promise<ModelDescription>;
  rollback(name: string): Promise<ModelDescription>;
  importModel(draft: ModelImport): Promise<ModelDescription>;
  close(): Promise<void>;
}

export interface ModelsPlaceOptions {
  readonly server?: string | undefined;
  readonly models?: string | undefined;
}

/** Opens the models of a server where one is named, else those of the folder. */
export async function openModelsPlace(options: ModelsPlaceOptions): Promise<ModelsPlace> {
  if (options.server === undefined) return openFolder(options);
  const { connect } = await import('../client/index.js');
  return ofServer(connect(options.server));
}

function ofServer(client: Client): ModelsPlace {
  return {
    list: () => client.listModels(),
    get: (ref) => client.getModel(ref),
    promote: (name, version, gate) =>
      client.promote(name, version, gate === undefined ? {} : { gate }),
    rollback: (name) => client.rollback(name),
    importModel: (draft) => client.importModel(draft),
    close: async () => client.close(),
  };
}

/** A promotion in place loads the version first, so that one that cannot serve is refused. */
async function openFolder(options: ModelsPlaceOptions): Promise<ModelsPlace> {
  const { toModelAdmin } = await import('../server.js');
  const parts = await openInPlace(options);
  const admin = toModelAdmin(parts, () => {});
  return {
    list: () => admin.list(),
    get: (ref) => admin.describe(ref),
    promote: (name, version, gate) => admin.promote(name, version, { gate }),
    rollback: (name) => admin.rollback(name),
    importModel: (draft) =>
      admin.import({
        ...draft,
        thresholds: draft.thresholds ?? draft.labels.map(() => 0.5),
        thresholdsSource: draft.thresholds === undefined ? 'default 0.5' : 'given at import',
      }),
    close: () => parts.close(),
  };
}
