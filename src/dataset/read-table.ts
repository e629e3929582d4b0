import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import { DomainError } from '../errors.js';

/** One row of a csv with its line number, counted from 1. */
export interface TableRow {
  readonly line: number;
  readonly cells: readonly string[];
}

/** A csv in memory, cells as they were written. */
export interface Table {
  /** Name of the file within the dataset. */
  readonly file: string;
  readonly header: readonly string[];
  readonly rows: readonly TableRow[];
}

/**
 * Reads a csv of a dataset whole, a piece at a time, so that others go on meanwhile. Throws
 * `dataset_invalid` where there is none to read.
 */
export async function readTable(path: string, file: string): Promise<Table> {
  const all: TableRow[] = [];
  const options = { bom: true, trim: true, info: true } as const;
  try {
    await pipeline(
      // Rows of a piece are parsed at once: some hundred take a few milliseconds.
      createReadStream(join(path, file), { highWaterMark: 8 * 1024 }),
      parse({ ...options, relax_column_count: true, skip_empty_lines: true }),
      async (records: AsyncIterable<{ record: string[]; info: { lines: number } }>) => {
        for await (const { record, info } of records) all.push({ line: info.lines, cells: record });
      },
    );
  } catch (cause) {
    if (cause instanceof CsvError) {
      throw new DomainError('dataset_invalid', `${file} is not a csv: ${cause.message}`, { cause });
    }
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    const isMissing = reason === 'ENOENT' || reason === 'ENOTDIR';
    const folder = `"${basename(path)}"`;
    const isFolder = await stat(path).then(
      (stats) => stats.isDirectory(),
      () => false,
    );
    throw new DomainError(
      'dataset_invalid',
      isMissing && !isFolder
        ? `expected a folder with ${file}, there is no folder ${folder}`
        : `expected ${file} in ${folder}: ${isMissing ? 'there is none' : reason}`,
      { cause },
    );
  }
  const [first, ...rows] = all;
  return { file, header: first?.cells ?? [], rows };
}
