import Table from 'cli-table3';

/** One column of a table; see `left` and `right`. */
export interface Column {
  readonly heading: string;
  readonly align: 'left' | 'right';
  /** Left out where the table would be too wide, the lowest number first; null: never. */
  readonly leaveOut: number | null;
}

/** A column of words. */
export const left = (heading: string, leaveOut: number | null = null): Column => ({
  ...{ heading, leaveOut },
  align: 'left',
});

/** A column of numbers. */
export const right = (heading: string, leaveOut: number | null = null): Column => ({
  ...{ heading, leaveOut },
  align: 'right',
});

/** How a table is laid out. */
export interface TableOptions {
  /** Characters that a line may have; a terminal's columns. @default no bound */
  readonly columns?: number;
}

/**
 * Rows under headings, without lines between: readable, and easy to cut. No colours, no
 * control codes, no spaces at the ends of lines. Where it is wider than `columns`, what may
 * be left out is, and a last line names it.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly (string | number)[])[],
  { columns: widest = Number.POSITIVE_INFINITY }: TableOptions = {},
): string {
  const spare = columns
    .map(({ leaveOut }, index) => ({ leaveOut, index }))
    .filter((column): column is { leaveOut: number; index: number } => column.leaveOut !== null)
    .sort((one, other) => one.leaveOut - other.leaveOut);
  const gone = new Set<number>();
  for (;;) {
    const lines = layOut(columns, rows, gone);
    const next = spare[gone.size];
    if (next !== undefined && lines.some((line) => line.length > widest)) gone.add(next.index);
    else if (gone.size === 0) return lines.join('\n');
    else {
      const names = columns.filter((_, index) => gone.has(index)).map(({ heading }) => heading);
      return [...lines, `not shown in ${widest} columns: ${names.join(', ')}`].join('\n');
    }
  }
}

function layOut(
  columns: readonly Column[],
  rows: readonly (readonly (string | number)[])[],
  gone: ReadonlySet<number>,
): readonly string[] {
  const kept = <Item>(items: readonly Item[]) => items.filter((_, index) => !gone.has(index));
  const shown = kept(columns);
  const table = new Table({
    // No row of headings where there are none.
    head: shown.some(({ heading }) => heading !== '') ? shown.map(({ heading }) => heading) : [],
    colAligns: shown.map(({ align }) => align),
    chars: { ...noLines, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  });
  for (const row of rows) table.push(kept(row).map(String));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}

const noLines = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid']
    .flatMap((side) => ['', '-mid', '-left', '-right'].map((joint) => `${side}${joint}`))
    .map((name) => [name, '']),
);
