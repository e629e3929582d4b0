/** How the filtered bytes of a PNG lie. */
export interface FilteredRows {
  /** Bytes of one row without its filter byte. */
  readonly rowBytes: number;
  readonly heightPx: number;
  readonly bytesPerPixel: number;
}

/**
 * Undoes PNG's row filters (w3.org/TR/png-3, section 9): `filtered` holds for each row a
 * filter byte and `rowBytes` bytes. Returns the plain bytes, or null at an unknown filter;
 * bytes beyond the left and upper edges count as zero. Spends `filtered`: single bytes are
 * written back in place, always before where they are read.
 */
export function undoFilters(filtered: Uint8Array, rows: FilteredRows): Uint8Array | null {
  const { rowBytes, heightPx, bytesPerPixel } = rows;
  const byteLength = rowBytes * heightPx;
  // The two bytes of 16-bit pixels are undone one after the other, each over the whole row.
  const plain =
    bytesPerPixel === 1
      ? new Uint8Array(filtered.buffer, filtered.byteOffset, byteLength)
      : new Uint8Array(byteLength);
  for (let row = 0; row < heightPx; row++) {
    const from = row * (rowBytes + 1) + 1;
    const to = row * rowBytes;
    const filter = filtered[from - 1]!;
    // Above the first row all is zero: Up is None there, and Paeth is Sub.
    const kind = row > 0 ? filter : filter === 2 ? 0 : filter === 4 ? 1 : filter;
    if (kind === 0) plain.set(filtered.subarray(from, from + rowBytes), to);
    else if (kind === 1) undoSub(filtered, from, plain, to, rowBytes, bytesPerPixel);
    else if (kind === 2) undoUp(filtered, from, plain, to, rowBytes);
    else if (kind === 3) undoAverage(filtered, from, plain, to, rowBytes, bytesPerPixel, row > 0);
    else if (kind === 4) undoPaeth(filtered, from, plain, to, rowBytes, bytesPerPixel);
    else return null;
  }
  return plain;
}

function undoSub(
  filtered: Uint8Array,
  from: number,
  plain: Uint8Array,
  to: number,
  length: number,
  step: number,
): void {
  for (let offset = 0; offset < step; offset++) {
    let left = 0;
    for (let i = offset; i < length; i += step) {
      left = (filtered[from + i]! + left) & 255;
      plain[to + i] = left;
    }
  }
}

function undoUp(
  filtered: Uint8Array,
  from: number,
  plain: Uint8Array,
  to: number,
  length: number,
): void {
  const above = to - length;
  for (let i = 0; i < length; i++) plain[to + i] = filtered[from + i]! + plain[above + i]!;
}

function undoAverage(
  filtered: Uint8Array,
  from: number,
  plain: Uint8Array,
  to: number,
  length: number,
  step: number,
  hasAbove: boolean,
): void {
  const above = to - length;
  for (let offset = 0; offset < step; offset++) {
    let left = 0;
    if (hasAbove) {
      for (let i = offset; i < length; i += step) {
        left = (filtered[from + i]! + ((left + plain[above + i]!) >> 1)) & 255;
        plain[to + i] = left;
      }
    } else {
      for (let i = offset; i < length; i += step) {
        left = (filtered[from + i]! + (left >> 1)) & 255;
        plain[to + i] = left;
      }
    }
  }
}

function undoPaeth(
  filtered: Uint8Array,
  from: number,
  plain: Uint8Array,
  to: number,
  length: number,
  step: number,
): void {
  const above = to - length;
  // Left of the row both neighbours are zero, and Paeth gives the one above.
  for (let i = 0; i < step; i++) plain[to + i] = filtered[from + i]! + plain[above + i]!;
  for (let offset = 0; offset < step; offset++) {
    let left = plain[to + offset]!;
    let corner = plain[above + offset]!;
    for (let i = step + offset; i < length; i += step) {
      const up = plain[above + i]!;
      const toUp = up - corner;
      const toLeft = left - corner;
      const both = toUp + toLeft;
      // Noise defeats the branch predictor: choose by masks, -1 for true. x >> 31 is the sign.
      const fromLeft = (toUp ^ (toUp >> 31)) - (toUp >> 31);
      const fromUp = (toLeft ^ (toLeft >> 31)) - (toLeft >> 31);
      const fromCorner = (both ^ (both >> 31)) - (both >> 31);
      const isNotLeft = ((fromUp - fromLeft) | (fromCorner - fromLeft)) >> 31;
      const isCorner = (fromCorner - fromUp) >> 31;
      const other = (up & ~isCorner) | (corner & isCorner);
      const nearest = (left & ~isNotLeft) | (other & isNotLeft);
      left = (filtered[from + i]! + nearest) & 255;
      plain[to + i] = left;
      corner = up;
    }
  }
}
