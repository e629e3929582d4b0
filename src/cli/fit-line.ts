/** Columns of a terminal; 80 where it has none or says 0, as a pseudo-terminal without a size does. */
export function columnsOf({ columns }: { readonly columns?: number }): number {
  return columns !== undefined && columns > 0 ? columns : 80;
}

/** As many of the parts, two spaces between them, as fit `columns`; the first is cut where it must be. */
export function fitParts(parts: readonly string[], columns: number): string {
  const [first = '', ...others] = parts;
  let line = first.slice(0, columns);
  for (const part of others) {
    if (line.length + 2 + part.length > columns) break;
    line = `${line}  ${part}`;
  }
  return line;
}

/**
 * A line in lines of at most `columns` characters, the further ones indented by `indent`:
 * broken between its parts (two spaces), else between words, else anywhere.
 */
export function wrapLine(line: string, columns: number, indent = 2): readonly string[] {
  if (line.length <= columns) return [line];
  // Where there is hardly room, text matters more than its place.
  const margin = ' '.repeat(Math.min(indent, columns >> 1));
  const breakAt = [line.lastIndexOf('  ', columns), line.lastIndexOf(' ', columns)].find(
    (at) => at > indent,
  );
  const head = line.slice(0, breakAt ?? columns).trimEnd();
  const rest = line.slice(breakAt ?? columns).trimStart();
  return [head, ...(rest === '' ? [] : wrapLine(`${margin}${rest}`, columns, indent))];
}

/** A moment to the minute, in UTC: "2026-11-23T18:10Z". */
export function formatMinute(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 16)}Z`;
}

/** Names and what they are, in two columns; a value that is too long goes on in its own. */
export function formatFacts(
  facts: readonly (readonly [name: string, value: string])[],
  { columns = Number.POSITIVE_INFINITY }: { readonly columns?: number } = {},
): string {
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  return facts
    .flatMap(([name, value]) => wrapLine(`${name.padEnd(width)}${value}`, columns, width))
    .join('\n');
}
