import type { Random } from './random.js';

/** A smooth random field over the plane, about 0..1, mean 0.5. */
export type Texture = (x: number, y: number) => number;

const side = 32;

/** Value noise: random values on a grid of `grainPx`, mixed linearly between; repeats after 32 grains. */
export function createTexture(random: Random, grainPx: number): Texture {
  const grid = new Float32Array(side * side);
  for (let i = 0; i < grid.length; i++) grid[i] = random.unit();
  return (x, y) => {
    const column = x / grainPx + 1000 * side;
    const row = y / grainPx + 1000 * side;
    const left = Math.floor(column);
    const top = Math.floor(row);
    const across = column - left;
    const down = row - top;
    const upper = (top % side) * side;
    const lower = ((top + 1) % side) * side;
    const near = left % side;
    const far = (left + 1) % side;
    const above = grid[upper + near]! * (1 - across) + grid[upper + far]! * across;
    const below = grid[lower + near]! * (1 - across) + grid[lower + far]! * across;
    return above * (1 - down) + below * down;
  };
}
