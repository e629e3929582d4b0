import { DomainError } from '../errors.js';
import type { Frame } from '../frames/index.js';
import { type Cell, contactSheet, type HeatLayer, overlay, toThumbnail } from '../plots/index.js';
import type { Mistake } from './mistakes.js';

/** Where in a frame the evidence for a label lies. */
export interface ShownMap extends HeatLayer {
  readonly labelIndex: number;
}

/** Explains one frame by its Id: a map for each of these labels. */
export type ExplainFrame = (
  id: string,
  labelIndices: readonly number[],
) => Promise<readonly ShownMap[]>;

export interface DrawExplanationsCollaborators {
  readonly readFrame: (id: string) => Promise<Frame>;
  readonly explain: ExplainFrame;
}

const edgePx = 168;
/** Labels of one frame. */
const mostLabels = 3;

/**
 * Frames with their maps, as one PNG: each frame as it is, then with the evidence for its
 * labels in orange. A frame that cannot be shown or explained is left out; null where none
 * can.
 */
export async function drawExplanations(
  mistakes: readonly Mistake[],
  labels: readonly { readonly label: string }[],
  { readFrame, explain }: DrawExplanationsCollaborators,
): Promise<Buffer | null> {
  const cells: Cell[] = [];
  // One after the other: each is explained on one worker anyway.
  for (const { row, missed, wronglyGiven, hit } of mistakes) {
    const sure = (of: readonly number[]) =>
      [...of].sort((a, b) => (row.probabilities[b] ?? 0) - (row.probabilities[a] ?? 0));
    const kinds = [wronglyGiven, missed, hit].map(sure);
    // One of each kind before the second of any.
    const wanted = [
      ...kinds.flatMap((of) => of.slice(0, 1)),
      ...kinds.flatMap((of) => of.slice(1)),
    ];
    try {
      const thumbnail = await toThumbnail(await readFrame(row.id), edgePx);
      const maps = await explain(row.id, wanted.slice(0, mostLabels));
      cells.push({ thumbnail, caption: [{ text: row.id, tone: 'quiet' }] });
      for (const map of maps) {
        const { labelIndex: label } = map;
        const isTrue = !wronglyGiven.includes(label);
        const verdict = isTrue ? (missed.includes(label) ? 'missed' : '✓') : '✗';
        const probability = (row.probabilities[label] ?? 0).toFixed(2);
        cells.push({
          thumbnail: overlay(thumbnail, map),
          caption: [
            { text: row.id, tone: 'quiet' },
            {
              text: `${verdict} ${labels[label]?.label} ${probability}`,
              tone: verdict === '✓' ? 'right' : 'wrong',
            },
            ...(map.levels.some((level) => level > 0)
              ? []
              : [{ text: 'nothing speaks for it', tone: 'quiet' as const }]),
          ],
        });
      }
    } catch (thrown) {
      const { code } = DomainError.from(thrown);
      if (code !== 'frame_invalid' && code !== 'dataset_invalid') throw thrown;
    }
  }
  return cells.length === 0 ? null : contactSheet(cells, { columns: 6 });
}
