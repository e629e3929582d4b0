import { uniformFloat32 } from 'pure-rand/distribution/uniformFloat32';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A source of chance: the same seed gives the same numbers, on every machine. */
export interface Random {
  /** 0 included, 1 excluded. */
  unit(): number;
  between(low: number, high: number): number;
  /** A whole number, both ends included. */
  whole(low: number, high: number): number;
  /** Nearly normal, mean 0, deviation 1: four bytes of chance, summed. */
  normal(): number;
}

export function createRandom(seed: number): Random {
  const generator = xoroshiro128plus(mixSeed(seed, 0));
  // The first numbers of neighbouring seeds resemble each other.
  for (let i = 0; i < 16; i++) generator.next();
  const unit = () => uniformFloat32(generator);
  return {
    unit,
    between: (low, high) => low + unit() * (high - low),
    whole: (low, high) => low + Math.floor(unit() * (high - low + 1)),
    normal: () => {
      const bits = generator.next();
      const sum = (bits & 255) + ((bits >> 8) & 255) + ((bits >> 16) & 255) + (bits >>> 24);
      return (sum - 510) / 147.8;
    },
  };
}

/** A seed for the `index`th part of what `seed` fixes (MurmurHash3's finaliser). */
export function mixSeed(seed: number, index: number): number {
  let hash = (Math.imul(seed, 0x9e3779b1) + Math.imul(index + 1, 0x85ebca77)) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) | 0;
}
