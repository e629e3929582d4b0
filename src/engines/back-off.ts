const mostMs = 30_000;

/** The wait before what failed so often in a row is tried again: it doubles, up to 30 s. */
export function backOffMs(firstMs: number, failures: number): number {
  return Math.min(mostMs, firstMs * 2 ** failures);
}
