import { basename } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import writeFileAtomic from 'write-file-atomic';
import { type CsvFaults, createCsvFaults, parseLabels, readCsv } from '../csv.js';
import { DomainError } from '../errors.js';
import { hpaLabels, type LabelSet } from '../label-set.js';

/** What was predicted for one frame, with the truth where it is known. */
export interface PredictionRow {
  readonly id: string;
  /** Numbers of the labels the frame has; null where nobody knows. */
  readonly labelIndices: readonly number[] | null;
  /** `[L]`, 0..1. */
  readonly probabilities: Float32Array | Float64Array;
  /** How far the frame is from the training set; absent where nobody says. */
  readonly distance?: number | undefined;
}

/** A file of predictions, in the order of its rows. */
export interface Predictions {
  readonly ids: readonly string[];
  /** The 28 of the Human Protein Atlas where there are 28, else "label 0", "label 1", … */
  readonly labels: LabelSet;
  /** `[N, L]`, 0..1. */
  readonly probabilities: Float64Array;
  /** `[N, L]` of 0 and 1; null where the file has no `Target`. */
  readonly targets: Uint8Array | null;
}

export interface ReadPredictionsOptions {
  /** Hears after each row; how many there are shows only at the end. */
  readonly onProgress?: ((rows: number) => void) | undefined;
  /** Ends the reading. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a csv with the columns `Id`, `Target` (may be absent; numbers of labels
 * separated by spaces, may be empty) and `p0`, `p1`, … Other columns are let be.
 *
 * Throws `dataset_invalid` that lists all faults with their lines: a missing
 * column, a bad number, a probability outside 0..1, a label out of range, an Id
 * that is empty or comes twice, no row at all, a file that cannot be read; and
 * what the signal says.
 */
export async function readPredictions(
  path: string,
  { onProgress = () => {}, signal }: ReadPredictionsOptions = {},
): Promise<Predictions> {
  const faults = createCsvFaults(path);
  const ids: string[] = [];
  const seen = new Set<string>();
  const rows: Float64Array[] = [];
  const targets: Uint8Array[] = [];
  let header: Header | null = null;
  await readCsv(
    path,
    'predictions',
    (cells, line) => {
      if (header === null) {
        header = parseHeader(cells, faults);
        return;
      }
      const { idAt, targetAt, probabilitiesAt } = header;
      // Nothing below a wrong header is worth telling.
      if (idAt < 0 || probabilitiesAt.length === 0) return;
      const id = (cells[idAt] ?? '').trim();
      if (id === '') faults.add(line, 'has no Id');
      else if (seen.has(id)) faults.add(line, `repeats the Id "${id}"`);
      seen.add(id);
      ids.push(id);
      const row = new Float64Array(probabilitiesAt.length);
      for (const [label, at] of probabilitiesAt.entries()) {
        const text = cells[at] ?? '';
        const value = text.trim() === '' ? Number.NaN : Number(text);
        if (!(value >= 0 && value <= 1)) {
          faults.add(line, `has p${label} "${text}", expected a number from 0 to 1`);
        }
        row[label] = value;
      }
      rows.push(row);
      onProgress(rows.length);
      if (targetAt < 0) return;
      const target = new Uint8Array(row.length);
      const tell = (fault: string) => faults.add(line, fault);
      for (const label of parseLabels(cells[targetAt] ?? '', row.length, tell)) target[label] = 1;
      targets.push(target);
    },
    signal,
  );
  faults.throwIfAny();
  if (rows.length === 0) faults.add(null, 'expected at least one row, got none');
  faults.throwIfAny();

  const labelCount = rows[0]?.length ?? 0;
  return {
    ids,
    labels: namesFor(labelCount),
    probabilities: stack(new Float64Array(rows.length * labelCount), rows, labelCount),
    targets:
      targets.length === rows.length
        ? stack(new Uint8Array(rows.length * labelCount), targets, labelCount)
        : null,
  };
}

/** The predictions of a file, a row each; rows look into the file's arrays. */
export function toRows({
  ids,
  labels,
  probabilities,
  targets,
}: Omit<Predictions, 'probabilities'> & {
  readonly probabilities: Float64Array | Float32Array;
}): PredictionRow[] {
  return ids.map((id, at) => {
    const from = at * labels.length;
    const isTrue = targets?.subarray(from, from + labels.length);
    return {
      id,
      labelIndices:
        isTrue === undefined ? null : [...labels.keys()].filter((label) => isTrue[label] === 1),
      probabilities: probabilities.subarray(from, from + labels.length),
    };
  });
}

/**
 * Writes `Id,Target,p0,…` (without `Target` where no row's labels are known) with
 * nine significant digits, which bring every float32 back. Replaces the file as a
 * whole or not at all; throws `storage_failed`.
 */
export async function writePredictions(
  path: string,
  rows: readonly PredictionRow[],
): Promise<void> {
  const hasTarget = rows.some(({ labelIndices }) => labelIndices !== null);
  const labelCount = rows[0]?.probabilities.length ?? 0;
  const header = [
    'Id',
    ...(hasTarget ? ['Target'] : []),
    ...Array.from({ length: labelCount }, (_, label) => `p${label}`),
  ];
  const records = rows.map(({ id, labelIndices, probabilities }) => [
    id,
    ...(hasTarget ? [(labelIndices ?? []).join(' ')] : []),
    ...Array.from(probabilities, (probability) => String(Number(probability.toPrecision(9)))),
  ]);
  await writeWhole(path, stringify([header, ...records]));
}

/** Replaces a file as a whole or not at all; throws `storage_failed`. */
export async function writeWhole(path: string, content: string | Buffer): Promise<void> {
  try {
    await writeFileAtomic(path, content);
  } catch (thrown) {
    const reason = (thrown as NodeJS.ErrnoException | null)?.code ?? 'unknown';
    throw new DomainError(
      'storage_failed',
      `expected to write "${basename(path)}", the file system refused (${reason})`,
      { cause: thrown },
    );
  }
}

/** Numbers of the labels that reach their threshold. */
export function labelsOver(
  probabilities: ArrayLike<number>,
  thresholds: readonly number[],
): number[] {
  return Array.from(thresholds.keys()).filter(
    (label) => (probabilities[label] ?? 0) >= (thresholds[label] ?? 1),
  );
}

/** Columns by place; -1 where there is none. */
interface Header {
  readonly idAt: number;
  readonly targetAt: number;
  /** The column of each label. */
  readonly probabilitiesAt: readonly number[];
}

function parseHeader(cells: readonly string[], faults: CsvFaults): Header {
  const names = cells.map((cell) => cell.trim());
  const idAt = names.indexOf('Id');
  const probabilitiesAt: number[] = [];
  for (let at = names.indexOf('p0'); at >= 0; at = names.indexOf(`p${probabilitiesAt.length}`)) {
    probabilitiesAt.push(at);
  }
  const known = probabilitiesAt.length;
  const beyond = names.find((name) => /^p\d+$/.test(name) && Number(name.slice(1)) > known);
  if (idAt < 0) faults.add(null, 'expected a column "Id"');
  if (known === 0) faults.add(null, 'expected columns "p0", "p1", …');
  else if (beyond !== undefined) {
    faults.add(null, `expected a column "p${known}" before "${beyond}"`);
  }
  return { idAt, targetAt: names.indexOf('Target'), probabilitiesAt };
}

function namesFor(labelCount: number): LabelSet {
  if (labelCount === hpaLabels.length) return hpaLabels;
  return Array.from({ length: labelCount }, (_, label) => `label ${label}`);
}

function stack<T extends Float64Array | Uint8Array>(
  into: T,
  rows: readonly T[],
  labelCount: number,
): T {
  // Both kinds of array take their own kind; the union of their `set` does not.
  for (const [row, values] of rows.entries()) into.set(values as never, row * labelCount);
  return into;
}
