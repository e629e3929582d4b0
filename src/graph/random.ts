import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/**
 * A generator of its own for each (seed, stream, index): the same three numbers give
 * the same draws on every machine, and others give draws that have nothing in common.
 *
 * The state is filled by MurmurHash3's finaliser (Appleby, public domain), which
 * spreads each bit of the three over all of it.
 */
export function randomOf(seed: number, stream: number, index: number): RandomGenerator {
  let hash = 0;
  const state = [seed | 0, Math.trunc(seed / 2 ** 32), stream, index].map((part) => {
    hash = mix((hash + Math.imul(part, 0x9e3779b1) + 0x7f4a7c15) | 0);
    return hash;
  });
  // Once more, so that the first words depend on the last parts too.
  const spread = state.map((word) => {
    hash = mix((hash + word) | 0);
    return hash;
  });
  return xoroshiro128plusFromState(spread);
}

function mix(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
