import type { Canvas } from '../canvas.js';
import { type Cell, fillCell, findPoint } from '../cell.js';
import { addFibre } from '../fibre.js';
import type { Pattern } from '../pattern.js';
import { createTexture } from '../texture.js';
import { nuclearShare } from './nuclear.js';

/** 1 in the cytoplasm, 0 in the nucleus and outside the cell, soft between. */
export function cytoplasmicShare(depth: number, nuclearDepth: number): number {
  return Math.min(1, Math.max(0, depth * 12)) * (1 - nuclearShare(nuclearDepth));
}

/** Whether a point lies in the cytoplasm, clear of its edges; see `Cell` for the depths. */
export function isCytoplasm(depth: number, nuclearDepth: number): boolean {
  return depth > 0.07 && nuclearDepth < -0.06;
}

/** Adds the even light of what is dissolved around a structure. */
export function addHaze(canvas: Canvas, cell: Cell, brightness: number): void {
  fillCell(canvas, cell, (depth, nuclear) => brightness * cytoplasmicShare(depth, nuclear));
}

/** Smooth to grainy through the whole cell, the nucleus darker. */
export const cytosol: Pattern = (canvas, cell, random) => {
  const texture = createTexture(random, random.between(1.5, 4) * cell.unit);
  const grain = random.between(0.1, 0.3);
  const nuclearLoss = random.between(0.6, 0.9);
  fillCell(canvas, cell, (depth, nuclear, x, y) => {
    const inside = Math.min(1, Math.max(0, depth * 10));
    return inside * (1 - nuclearLoss * nuclearShare(nuclear)) * (0.42 + grain * texture(x, y));
  });
};

/** Threads that begin close to the nucleus and reach out towards the edge. */
export const mitochondria: Pattern = (canvas, cell, random) => {
  const { unit, nucleus } = cell;
  for (let i = random.whole(34, 46); i > 0; i--) {
    const reach = random.between(-0.5, -1.6);
    const start = findPoint(
      cell,
      random,
      (depth, nuclear) => depth > 0.12 && nuclear < -0.1 && nuclear > reach,
    );
    if (start === null) continue;
    const outward = Math.atan2(start[1] - nucleus.y, start[0] - nucleus.x);
    addFibre(
      canvas,
      cell,
      {
        start,
        heading: outward + random.between(-1, 1),
        lengthPx: random.between(7, 24) * unit,
        sigmaPx: 0.8 * unit,
        brightness: random.between(0.5, 0.85),
        wobble: 0.17,
        avoidsNucleus: true,
      },
      random,
    );
  }
};
