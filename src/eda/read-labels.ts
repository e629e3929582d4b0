import { createCsvFaults, parseLabels, readCsv } from '../csv.js';
import { hpaLabels, type LabelSet } from '../label-set.js';
import type { LabelledFrame, LabelledFrames } from './summary.js';

/**
 * Reads the labels of frames that are not at hand: a csv with the columns `Id` and
 * `Target`, numbers of labels separated by spaces. Other columns are let be.
 *
 * Throws `dataset_invalid` that lists all faults with their lines: a missing column,
 * a label out of range, an Id that is empty or comes twice, no row, no such file.
 */
export async function readLabels(
  path: string,
  labels: LabelSet = hpaLabels,
): Promise<LabelledFrames> {
  const faults = createCsvFaults(path);
  const seen = new Set<string>();
  const frames: LabelledFrame[] = [];
  let columns: { readonly idAt: number; readonly targetAt: number } | null = null;
  await readCsv(path, 'labels', (cells, line) => {
    if (columns === null) {
      const names = cells.map((cell) => cell.trim());
      columns = { idAt: names.indexOf('Id'), targetAt: names.indexOf('Target') };
      if (columns.idAt < 0 || columns.targetAt < 0) {
        faults.add(null, `expected the columns "Id" and "Target", got "${names.join(',')}"`);
      }
      return;
    }
    // Nothing below a wrong header is worth telling.
    if (columns.idAt < 0 || columns.targetAt < 0) return;
    const id = (cells[columns.idAt] ?? '').trim();
    if (id === '') faults.add(line, 'has no Id');
    else if (seen.has(id)) faults.add(line, `repeats the Id "${id}"`);
    seen.add(id);
    const labelIndices = parseLabels(cells[columns.targetAt] ?? '', labels.length, (fault) =>
      faults.add(line, fault),
    );
    frames.push({ id, labelIndices });
  });
  faults.throwIfAny();
  if (frames.length === 0) faults.add(null, 'expected at least one row, got none');
  faults.throwIfAny();
  return { labels, frames };
}
