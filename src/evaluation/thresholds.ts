import { fromLogit, toLogit } from './calibration.js';
import type { Scored } from './score.js';

/** A threshold for each label, and the one that they were drawn towards. */
export interface ChosenThresholds {
  /** One per label, in their order. */
  readonly thresholds: readonly number[];
  /** What gives the best macro F1 of the present labels where all labels share it. */
  readonly common: number;
}

/**
 * A label in so many fields stands half-way between its own threshold and the common one.
 * Measured on published predictions, see docs/decisions/0013-honest-numbers.md.
 */
const shrinkage = 2;
/** The threshold of what nothing is known of. */
const unknown = 0.5;

/**
 * Chooses, for each label, the threshold with the best F1, drawn towards the common one
 * the more the fewer fields of view tell about it: half-way at two, all the way at none. A label
 * is told about by the fields with frames that have it, or by those with frames that have not
 * where they are fewer; cells of one field are alike, and count as one. A label that no frame
 * has keeps 0.5 at least: a threshold that suits the others says nothing of it, and on 28 labels
 * of which a dataset has five it would give the rest to nearly every frame. The way is measured
 * in logits, where 0.01 and 0.02 are as far apart as they should be.
 *
 * A threshold lies in the middle between two scores, so that none sits on a frame; of
 * several that are as good, the highest.
 *
 * Source: Lipton et al., "Optimal thresholding of classifiers to maximize F1 measure",
 * ECML PKDD 2014, for choosing by F1 and for what goes wrong on rare labels; the weight
 * n / (n + k) is the shrinkage of James & Stein with k fields' worth of trust in the rest.
 */
export function chooseThresholds({
  probabilities,
  targets,
  labels,
  groups = null,
}: Pick<Scored, 'probabilities' | 'targets' | 'labels'> & {
  /** The field of each frame, null where a frame is alone; null where all are. @default null */
  readonly groups?: readonly (string | null)[] | null;
}): ChosenThresholds {
  const labelCount = labels.length;
  const common = bestThreshold({ probabilities, targets, labelCount }) ?? unknown;
  const thresholds = labels.map((_, label) => {
    const own = columnOf({ probabilities, targets, labelCount }, label);
    const best = bestThreshold(own) ?? common;
    const having = countFields(own.targets, 1, groups);
    if (having === 0) return Math.max(unknown, common);
    const told = Math.min(having, countFields(own.targets, 0, groups));
    const weight = told / (told + shrinkage);
    return fromLogit(weight * toLogit(best) + (1 - weight) * toLogit(common));
  });
  return { thresholds, common };
}

/** Fields with a frame whose target is `sought`; a frame without a field is one of its own. */
function countFields(
  targets: Uint8Array,
  sought: 0 | 1,
  groups: readonly (string | null)[] | null,
): number {
  const fields = new Set<string | number>();
  for (const [frame, target] of targets.entries()) {
    if (target === sought) fields.add(groups?.[frame] ?? frame);
  }
  return fields.size;
}

interface Answers {
  /** `[N, L]`. */
  readonly probabilities: Float32Array | Float64Array;
  /** `[N, L]` of 0 and 1. */
  readonly targets: Uint8Array;
  readonly labelCount: number;
}

/**
 * The threshold of the best mean F1 over the labels that are present, by lowering it over
 * every score in turn; null where no label is present.
 */
function bestThreshold({ probabilities, targets, labelCount }: Answers): number | null {
  const supports = new Float64Array(labelCount);
  for (const [at, target] of targets.entries()) {
    supports[at % labelCount] = (supports[at % labelCount] ?? 0) + target;
  }
  const order = Uint32Array.from(probabilities.keys()).sort(
    (a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0),
  );
  const hits = new Float64Array(labelCount);
  const given = new Float64Array(labelCount);
  let sum = 0;
  let bestSum = 0;
  let best: number | null = null;
  for (const [place, at] of order.entries()) {
    const label = at % labelCount;
    const support = supports[label] ?? 0;
    const before = f1(hits[label] ?? 0, given[label] ?? 0, support);
    hits[label] = (hits[label] ?? 0) + (targets[at] ?? 0);
    given[label] = (given[label] ?? 0) + 1;
    if (support > 0) sum += f1(hits[label] ?? 0, given[label] ?? 0, support) - before;
    const score = probabilities[at] ?? 0;
    const next = order[place + 1];
    const below = next === undefined ? 0 : (probabilities[next] ?? 0);
    // Equal scores are given together; a sum of differences carries rounding of its own.
    if (below === score || sum <= bestSum + 1e-12) continue;
    bestSum = sum;
    best = (score + below) / 2;
  }
  return best;
}

const f1 = (hits: number, given: number, support: number): number =>
  support === 0 ? 0 : (2 * hits) / (given + support);

function columnOf({ probabilities, targets, labelCount }: Answers, label: number): Answers {
  const frameCount = targets.length / labelCount;
  const scores = new Float64Array(frameCount);
  const truth = new Uint8Array(frameCount);
  for (let frame = 0; frame < frameCount; frame += 1) {
    scores[frame] = probabilities[frame * labelCount + label] ?? 0;
    truth[frame] = targets[frame * labelCount + label] ?? 0;
  }
  return { probabilities: scores, targets: truth, labelCount: 1 };
}
