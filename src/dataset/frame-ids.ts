import type { Faults } from './faults.js';
import { inTurns } from './in-turns.js';
import type { Table } from './read-table.js';

/** An Id is part of a file name: it must not lead elsewhere. */
const idPattern = /^[^/\\\0]+$/;

export interface IdRow {
  readonly id: string;
  readonly line: number;
  readonly cells: readonly string[];
}

/** The rows with a sound Id; adds faults for a missing column, empty or repeated Ids, no rows. */
export async function readIds(table: Table, faults: Faults): Promise<readonly IdRow[]> {
  const { file, header, rows } = table;
  const at = header.indexOf('Id');
  if (at === -1) {
    faults.add(
      header.length === 0
        ? `${file} is empty, expected a header with Id`
        : `${file} has no column Id, only ${header.slice(0, 8).join(', ')}`,
    );
    return [];
  }
  if (rows.length === 0) faults.add(`${file} has no rows`);
  const lineOf = new Map<string, number>();
  const sound: IdRow[] = [];
  await inTurns(rows, ({ line, cells }) => {
    const id = cells[at] ?? '';
    const earlier = lineOf.get(id);
    if (id === '') faults.add(`${file} line ${line} has no Id`);
    else if (!idPattern.test(id)) faults.add(`${file} line ${line}: Id "${id}" is no file name`);
    else if (earlier !== undefined) {
      faults.add(`${file} line ${line} repeats the Id "${id}" of line ${earlier}`);
    } else {
      lineOf.set(id, line);
      sound.push({ id, line, cells });
    }
  });
  return sound;
}
