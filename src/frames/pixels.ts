/** The pixels of one plane, rows top to bottom, in the type they were taken with. */
export type Pixels = Uint8Array | Uint16Array | Float32Array;

export interface SizePx {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Whole number nearest to `value`, halves to even, as C's `lrint`; |value| < 2^51. */
export function roundHalfEven(value: number): number {
  // Adding 1.5 * 2^52 leaves a double no bits for the fraction: the sum is rounded by IEEE 754.
  return value + 6755399441055744 - 6755399441055744;
}

/** A small cache of what depends on two sizes only; forgets everything when full. */
export function createTableCache<T>(build: (from: number, to: number) => T, capacity = 64) {
  const tables = new Map<number, T>();
  return (from: number, to: number): T => {
    const key = from * 0x100000 + to;
    const known = tables.get(key);
    if (known !== undefined) return known;
    if (tables.size >= capacity) tables.clear();
    const table = build(from, to);
    tables.set(key, table);
    return table;
  };
}
