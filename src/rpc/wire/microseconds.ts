/** Fits the wire's uint32: 71 minutes and more read as 71 minutes. */
export function toMicroseconds(ms: number): number {
  return Math.min(0xffff_ffff, Math.max(0, Math.round(ms * 1000)));
}
