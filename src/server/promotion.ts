import { basename } from 'node:path';
import { resolveDataPath } from '../dataset/index.js';
import { DomainError } from '../errors.js';
import { type GateMetric, refusalOf } from '../evaluation/index.js';
import type { ModelStore, Registry, StoredModel } from '../models/index.js';
import type { Compare, PromotionGate } from '../rpc/index.js';

export interface PromotionOptions {
  /** Folders below which the dataset of a caller's gate may lie. */
  readonly dataRoots: readonly string[];
  /** Folder of the labelled frames that every promotion is judged on; empty for none. */
  readonly gateData: string;
  readonly gateMargin: number;
  readonly gateMetric: GateMetric;
}

export interface PromotionCollaborators {
  readonly registry: Pick<Registry, 'promote'>;
  readonly store: Pick<ModelStore, 'aliases'>;
  /** Scores two versions on the same frames of a dataset that was resolved already. */
  readonly compare: Compare;
}

/** Makes a version live, if the gates let it through. */
export type PromoteThroughGates = (
  name: string,
  version: number,
  asked?: { readonly gate?: PromotionGate | undefined; readonly signal?: AbortSignal | undefined },
) => Promise<StoredModel>;

/**
 * Promotions that are judged first: on the set that the configuration names, which no
 * caller can leave out, and on one that the caller names, below the data roots.
 *
 * Both versions answer the same frames on the way of served frames, at low priority: those
 * that neither is known to have been trained on or to have chosen its thresholds by, since
 * nobody reads a caution here; where none is left, nothing is promoted. The
 * first version of a name has nothing to beat, and neither has the one that is live. What
 * was judged is what is replaced: had another version become live meanwhile, nothing changes.
 * A rollback is not judged: it must work at once.
 *
 * Throws `gate_refused` with both numbers and the margin, or where the versions cannot be
 * judged there, and what evaluating throws.
 */
export function createPromotion(
  { dataRoots, gateData, gateMargin, gateMetric }: PromotionOptions,
  { registry, store, compare }: PromotionCollaborators,
): PromoteThroughGates {
  const ownGates: readonly PromotionGate[] =
    gateData === '' ? [] : [{ dataPath: gateData, margin: gateMargin, metric: gateMetric }];

  return async (name, version, { gate, signal = new AbortController().signal } = {}) => {
    const gates =
      gate === undefined
        ? ownGates
        : [...ownGates, { ...gate, dataPath: await resolveDataPath(gate.dataPath, dataRoots) }];
    if (gates.length === 0) return registry.promote(name, version);
    const { live = null } = await store.aliases(name);
    if (live !== null && live !== version) {
      for (const { dataPath, margin, metric } of gates) {
        const [ref, liveRef] = [`${name}@${version}`, `${name}@${live}`];
        const asked = { dataPath, model: liveRef, compareWith: ref, part: 'unseen' } as const;
        const { comparison } = await compare(asked, { onProgress: () => {}, signal }).catch(
          (thrown: unknown) => {
            const { code, message } = DomainError.from(thrown);
            if (code !== 'verb_unfit') throw thrown;
            throw new DomainError('gate_refused', `${ref} stays a candidate: ${message}`);
          },
        );
        const { first, second } = comparison;
        const versions = {
          candidate: { ref, report: second },
          live: { ref: liveRef, report: first },
        };
        const refusal = refusalOf(versions, { margin, metric, set: basename(dataPath) });
        if (refusal !== null) throw new DomainError('gate_refused', refusal);
      }
    }
    return registry.promote(name, version, { live });
  };
}
