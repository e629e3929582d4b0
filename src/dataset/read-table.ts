import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CsvError, parse } from 'csv-parse/sync';
import { DomainError } from '../errors.js';

/** One row of a csv with its line number, counted from 1. */
export interface TableRow {
  readonly line: number;
  readonly cells: readonly string[];
}

export interface Table {
  /** Name of the file within the dataset. */
  readonly file: string;
  readonly header: readonly string[];
  readonly rows: readonly TableRow[];
}

/** Reads a csv of a dataset whole. Throws `dataset_invalid` where there is none to read. */
export async function readTable(path: string, file: string): Promise<Table> {
  const text = await readFile(join(path, file), 'utf8').catch((cause: unknown) => {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    const came = reason === 'ENOENT' || reason === 'ENOTDIR' ? 'there is none' : reason;
    throw new DomainError('dataset_invalid', `expected ${file} in "${basename(path)}": ${came}`, {
      cause,
    });
  });
  try {
    const records = parse(text, {
      bom: true,
      trim: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as readonly { record: string[]; info: { lines: number } }[];
    const [first, ...rest] = records;
    return {
      file,
      header: first?.record ?? [],
      rows: rest.map(({ record, info }) => ({ line: info.lines, cells: record })),
    };
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new DomainError('dataset_invalid', `${file} is not a csv: ${cause.message}`, { cause });
  }
}
