import { DomainError } from '../errors.js';
import type { LabelSet } from '../label-set.js';
import type { Explained, Explainer, ExplainRequest } from '../models/index.js';

/** What a frame's answer is to be explained with. */
export interface ExplainWish {
  /** Names of labels that get a map each, in this order. */
  readonly labels: readonly string[];
  /** Whether each label that the prediction gives gets one too. */
  readonly givenLabels: boolean;
  /** Whether the embedding is wanted. */
  readonly embedding: boolean;
}

/** Where in a frame the evidence for a label lies, by Grad-CAM. */
export interface LabelMap {
  readonly labelIndex: number;
  readonly widthPx: number;
  readonly heightPx: number;
  /** The part of the frame that it covers, in shares of its edges from the top left. */
  readonly box: Explained['spec']['box'];
  /** uint8 `[height, width]`, rows top to bottom: 0 no evidence, 255 the most in this map. */
  readonly levels: Uint8Array;
  /** What 255 stands for, in the unit of the logit; 0 where nothing speaks for the label. */
  readonly peak: number;
}

/** Why a frame was answered as it was. */
export interface Explanation {
  readonly maps: readonly LabelMap[];
  /** float32 `[E]`, the network's penultimate activations; empty unless asked for. */
  readonly embedding: Float32Array;
  /** Time inside the runtime, beside that of the prediction. */
  readonly runMs: number;
}

/** A version on loan, as far as explaining needs it. */
export interface ExplainableVersion {
  readonly manifest: { readonly labels?: LabelSet };
  readonly explainer?: Pick<Explainer, 'assertExplains' | 'explain'>;
}

/** Explains the answer to one prepared frame; `labelIndices` are those that the prediction gives. */
export type Explain = (answered: ExplainRequest) => Promise<Explanation>;

/**
 * Reads a wish before anything is run for it. Throws `unsupported` for a version that gives no
 * explanations and `option_invalid` for labels that it does not have.
 */
export function planExplanation(
  wish: ExplainWish,
  { manifest: { labels = [] }, explainer }: ExplainableVersion,
): Explain {
  if (!explainer) throw new DomainError('unsupported', 'nobody explains this version');
  explainer.assertExplains();
  const unknown = wish.labels.filter((label) => !labels.includes(label));
  if (unknown.length > 0) {
    throw new DomainError(
      'option_invalid',
      `explain: expected labels of the model, got "${unknown.join('", "')}"`,
    );
  }
  const wanted = wish.labels.map((label) => labels.indexOf(label));
  return async ({ labelIndices: given, ...request }) => {
    const labelIndices = [...new Set([...wanted, ...(wish.givenLabels ? given : [])])];
    const { embedding, maps, spec, runMs } = await explainer.explain({
      ...request,
      labelIndices,
    });
    const { widthPx, heightPx, box } = spec;
    return {
      maps: maps.map((map, at) => ({
        ...{ labelIndex: labelIndices[at] ?? 0, widthPx, heightPx, box },
        ...toLevels(map),
      })),
      embedding: wish.embedding ? embedding : new Float32Array(0),
      runMs,
    };
  };
}

function toLevels(map: Float32Array): { readonly levels: Uint8Array; readonly peak: number } {
  const peak = map.reduce((most, value) => Math.max(most, value), 0);
  const scale = peak > 0 ? 255 / peak : 0;
  return { levels: Uint8Array.from(map, (value) => Math.round(value * scale)), peak };
}
