import { basename, join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import type { Explanation } from '../classify/index.js';
import { writeWhole } from '../evaluation/index.js';
import { makeFolder, storageFailed } from '../files/index.js';
import { toMapPlane } from '../plots/index.js';

/** What is written of one answer: a map for each label that was explained. */
export interface ExplainedAnswer {
  readonly id: string;
  /** Of the frame, to whose size the maps are brought. */
  readonly widthPx: number;
  readonly heightPx: number;
  readonly probabilities: ArrayLike<number>;
  readonly explanation: Pick<Explanation, 'maps'>;
}

/** A folder of maps in the making. */
export interface MapsFolder {
  /** Resolves when its planes are on the disk; nothing of them is kept. */
  write(answer: ExplainedAnswer): Promise<void>;
  /** Writes `maps.csv` with the frames in this order. Returns the number of maps. */
  finish(ids: readonly string[]): Promise<number>;
}

const head = ['Id', 'Label', 'Name', 'Probability', 'Peak', 'File'];

/**
 * Makes a folder for maps of evidence: an 8-bit grey PNG of the frame's size for each frame
 * and label, and `maps.csv`, in whose line `Peak` tells what 255 stands for, in the unit of
 * the logit. Maps that were there under the same names are replaced.
 *
 * Throws `storage_failed`, here and in what it returns.
 */
export async function openMapsFolder(dir: string, labels: readonly string[]): Promise<MapsFolder> {
  await makeFolder(dir).catch((cause: unknown) => {
    throw storageFailed(`cannot make the folder ${basename(dir)}`, cause);
  });
  const lines = new Map<string, (string | number)[][]>();
  return {
    async write({ id, widthPx, heightPx, probabilities, explanation }) {
      const own: (string | number)[][] = [];
      for (const map of explanation.maps) {
        const { labelIndex, peak } = map;
        const name = labels[labelIndex] ?? '';
        const file = `${id}_${labelIndex}_${fileWords(name)}.png`;
        await writeWhole(join(dir, file), await toMapPlane(map, { widthPx, heightPx }));
        const probability = Number((probabilities[labelIndex] ?? 0).toPrecision(9));
        own.push([
          id,
          labelIndex,
          name,
          probability,
          Number(Math.fround(peak).toPrecision(9)),
          file,
        ]);
      }
      lines.set(id, own);
    },
    async finish(ids) {
      const all = ids.flatMap((id) => lines.get(id) ?? []);
      await writeWhole(join(dir, 'maps.csv'), stringify([head, ...all]));
      return all.length;
    },
  };
}

/** "Plasma membrane" as part of a file's name, whatever it holds. */
function fileWords(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-');
}
