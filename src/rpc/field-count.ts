/**
 * Whether a message has more than `limit` fields, counted through its first two levels
 * without building anything.
 *
 * Reads the wire format of protobuf.dev/programming-guides/encoding; stops at what it does
 * not understand, which the decoder then refuses.
 */
export function hasMoreFields(bytes: Uint8Array, limit: number): boolean {
  if (bytes.length <= limit) return false; // a field takes a byte at least
  let left = limit;
  let at = 0;

  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70 && at < bytes.length; shift += 7) {
      const byte = bytes[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  };

  /** Walks the fields up to `end`; false when there are too many or they make no sense. */
  const walk = (end: number, depth: number): boolean => {
    while (at < end) {
      const tag = varint();
      left -= 1;
      if (left < 0 || Number.isNaN(tag)) return false;
      const wireType = tag % 8;
      if (wireType === 0) varint();
      else if (wireType === 1) at += 8;
      else if (wireType === 5) at += 4;
      else if (wireType === 2) {
        const length = varint();
        const next = at + length;
        if (!(next <= end)) return false;
        if (depth > 0 && !walk(next, depth - 1) && left < 0) return false;
        at = next;
      } else return false;
    }
    return true;
  };

  walk(bytes.length, 1);
  return left < 0;
}
