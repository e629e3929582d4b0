import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parse } from 'csv-parse';
import { DomainError } from './errors.js';

/**
 * Reads a csv line by line, the header included: cells as text, and the number of
 * the line for messages. Empty lines and a byte order mark are skipped; rows may
 * differ in length. `takeRow` must not throw.
 *
 * `what` names the file's content: "predictions". Throws `dataset_invalid` where
 * the file is missing, cannot be read or is no csv, and what the signal says.
 */
export async function readCsv(
  path: string,
  what: string,
  takeRow: (cells: readonly string[], line: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await pipeline(
      createReadStream(path),
      parse({ bom: true, skip_empty_lines: true, relax_column_count: true, info: true }),
      async (records: AsyncIterable<{ record: string[]; info: { lines: number } }>) => {
        for await (const { record, info } of records) takeRow(record, info.lines);
      },
      ...(signal === undefined ? [] : [{ signal }]),
    );
  } catch (thrown) {
    if (signal?.aborted) throw DomainError.from(signal.reason);
    const file = basename(path);
    const { code = '', message = String(thrown) } = (thrown ?? {}) as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : message.replaceAll(path, file);
    throw new DomainError('dataset_invalid', `expected a csv of ${what} in "${file}": ${why}`, {
      cause: thrown,
    });
  }
}

/** Faults of one file, all told together. */
export interface CsvFaults {
  /** `line` null: of the file as a whole. */
  add(line: number | null, fault: string): void;
  /** Throws `dataset_invalid` with the first eight and how many more there are. */
  throwIfAny(): void;
}

/** So many faults are named; the rest are counted. */
const namedFaults = 8;

/** Begins with none; `path` is named in what is thrown. */
export function createCsvFaults(path: string): CsvFaults {
  const faults: string[] = [];
  let count = 0;
  return {
    add(line, fault) {
      count += 1;
      if (faults.length < namedFaults) faults.push(line === null ? fault : `line ${line} ${fault}`);
    },
    throwIfAny() {
      if (count === 0) return;
      const rest = count > faults.length ? `; and ${count - faults.length} more` : '';
      throw new DomainError('dataset_invalid', `${basename(path)}: ${faults.join('; ')}${rest}`);
    },
  };
}

/**
 * Numbers of labels with spaces between them, ascending, each once; tells of each
 * that is not a whole number below `labelCount`.
 */
export function parseLabels(
  text: string,
  labelCount: number,
  tell: (fault: string) => void,
): readonly number[] {
  const found = new Set<number>();
  for (const part of text.split(/\s+/)) {
    if (part === '') continue;
    const label = Number(part);
    if (/^\d+$/.test(part) && label < labelCount) found.add(label);
    else tell(`has label "${part}", expected a whole number from 0 to ${labelCount - 1}`);
  }
  return [...found].sort((a, b) => a - b);
}
