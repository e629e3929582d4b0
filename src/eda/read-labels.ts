import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parse } from 'csv-parse';
import { DomainError } from '../errors.js';
import { hpaLabels, type LabelSet } from '../label-set.js';
import type { LabelledFrame, LabelledFrames } from './summary.js';

const namedFaults = 8;

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
  const file = basename(path);
  const faults: string[] = [];
  const seen = new Set<string>();
  const frames: LabelledFrame[] = [];
  let columns: { readonly idAt: number; readonly targetAt: number } | null = null;

  const takeRow = (cells: readonly string[], line: number) => {
    if (columns === null) {
      const names = cells.map((cell) => cell.trim());
      columns = { idAt: names.indexOf('Id'), targetAt: names.indexOf('Target') };
      if (columns.idAt < 0 || columns.targetAt < 0) {
        throw new DomainError(
          'dataset_invalid',
          `${file}: expected the columns "Id" and "Target", got "${names.join(',')}"`,
        );
      }
      return;
    }
    const id = (cells[columns.idAt] ?? '').trim();
    if (id === '') faults.push(`line ${line} has no Id`);
    else if (seen.has(id)) faults.push(`line ${line} repeats the Id "${id}"`);
    seen.add(id);
    const labelIndices: number[] = [];
    for (const part of (cells[columns.targetAt] ?? '').trim().split(/\s+/)) {
      if (part === '') continue;
      const label = Number(part);
      if (/^\d+$/.test(part) && label < labels.length) labelIndices.push(label);
      else {
        faults.push(
          `line ${line} has label "${part}", expected a whole number from 0 to ${labels.length - 1}`,
        );
      }
    }
    frames.push({ id, labelIndices });
  };

  try {
    await pipeline(
      createReadStream(path),
      parse({ bom: true, skip_empty_lines: true, relax_column_count: true, info: true }),
      async (records: AsyncIterable<{ record: string[]; info: { lines: number } }>) => {
        for await (const { record, info } of records) takeRow(record, info.lines);
      },
    );
  } catch (thrown) {
    if (thrown instanceof DomainError) throw thrown;
    const code = (thrown as NodeJS.ErrnoException | null)?.code ?? 'no csv';
    throw new DomainError(
      'dataset_invalid',
      code === 'ENOENT'
        ? `expected a csv of labels, there is no file "${file}"`
        : `expected a csv of labels, "${file}" cannot be read (${code})`,
      { cause: thrown },
    );
  }
  if (frames.length === 0) faults.push('expected at least one row, got none');
  if (faults.length > 0) {
    const rest = faults.length > namedFaults ? `; and ${faults.length - namedFaults} more` : '';
    throw new DomainError(
      'dataset_invalid',
      `${file}: ${faults.slice(0, namedFaults).join('; ')}${rest}`,
    );
  }
  return { labels, frames };
}
