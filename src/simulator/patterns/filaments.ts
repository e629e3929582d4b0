import { addLine, type Canvas } from '../canvas.js';
import { type Cell, fillCell } from '../cell.js';
import { addFibre } from '../fibre.js';
import type { Pattern } from '../pattern.js';
import type { Random } from '../random.js';
import { addHaze } from './cytoplasm.js';

/** A tangle of wavy threads, densest around the nucleus. */
export const intermediateFilaments: Pattern = (canvas, cell, random) => {
  const { nucleus, unit } = cell;
  for (let i = 0; i < 60; i++) {
    const angle = random.between(0, 2 * Math.PI);
    const distance = nucleus.radiusPx * random.between(0.95, 1.5);
    addFibre(
      canvas,
      cell,
      {
        start: [nucleus.x + distance * Math.cos(angle), nucleus.y + distance * Math.sin(angle)],
        heading: random.between(0, 2 * Math.PI),
        lengthPx: random.between(18, 44) * unit,
        sigmaPx: 0.7 * unit,
        brightness: random.between(0.22, 0.46),
        wobble: 0.22,
        avoidsNucleus: false,
      },
      random,
    );
  }
  addHaze(canvas, cell, 0.1);
};

/** Straight bundles from edge to edge, most in one direction, some in another; a rim under the edge. */
export const actinFilaments: Pattern = (canvas, cell, random) => {
  const { radiusPx, unit } = cell;
  addBundles(canvas, cell, { direction: cell.axis, count: random.whole(13, 19) }, random);
  const turned = cell.axis + random.between(0.5, 1.3);
  addBundles(canvas, cell, { direction: turned, count: random.whole(2, 6) }, random);
  const width = (1.4 * unit) / radiusPx;
  fillCell(canvas, cell, (depth) => {
    const off = (depth - 0.03) / width;
    return (depth > 0 ? 0.08 : 0) + 0.28 * Math.exp(-0.5 * off * off);
  });
};

interface Bundles {
  readonly direction: number;
  readonly count: number;
}

function addBundles(
  canvas: Canvas,
  cell: Cell,
  { direction, count }: Bundles,
  random: Random,
): void {
  const { unit, radiusPx } = cell;
  const along = [Math.cos(direction), Math.sin(direction)] as const;
  for (let i = 0; i < count; i++) {
    const offset = random.between(-0.95, 0.95) * radiusPx;
    const x = cell.x - offset * along[1];
    const y = cell.y + offset * along[0];
    const reach = chord(cell.depth, x, y, along, radiusPx * 1.4);
    if (reach === null) continue;
    const from = -reach[0] * random.between(0.35, 1);
    const to = reach[1] * random.between(0.35, 1);
    const lean = random.between(-0.07, 0.07);
    const leaning = [Math.cos(direction + lean), Math.sin(direction + lean)] as const;
    addLine(
      canvas,
      [x + from * leaning[0], y + from * leaning[1]],
      [x + to * leaning[0], y + to * leaning[1]],
      random.between(0.75, 1.15) * unit,
      random.between(0.35, 0.85),
    );
  }
}

/** Short plaques at the edge that point inward, in clusters, and a few under the cell. */
export const focalAdhesions: Pattern = (canvas, cell, random) => {
  const { unit, radiusPx } = cell;
  const count = random.whole(24, 36);
  const turn = random.between(0, 2 * Math.PI);
  for (let i = 0; i < count; i++) {
    // Crowded where this wave of one to three crests around the cell is high.
    const at = (i / count) * 2 * Math.PI;
    const angle = at + 0.35 * Math.sin(2 * at + turn) + random.between(-0.1, 0.1);
    const out = [Math.cos(angle), Math.sin(angle)] as const;
    const reach = chord(cell.depth, cell.x, cell.y, out, radiusPx * 1.6)?.[1] ?? 0;
    const outer = random.unit() < 0.85 ? reach - random.between(0, 3) * unit : reach * 0.7;
    const slant = angle + random.between(-0.4, 0.4);
    const length = random.between(4, 8.5) * unit;
    const tip = [cell.x + outer * out[0], cell.y + outer * out[1]] as const;
    addLine(
      canvas,
      [tip[0] - length * Math.cos(slant), tip[1] - length * Math.sin(slant)],
      tip,
      unit,
      random.between(0.65, 1),
    );
  }
  addHaze(canvas, cell, 0.03);
};

/** How far a straight line through a point stays inside, backward and forward. */
function chord(
  depth: (x: number, y: number) => number,
  x: number,
  y: number,
  along: readonly [number, number],
  longest: number,
): readonly [number, number] | null {
  if (depth(x, y) < 0.05) return null;
  const walk = (sign: number) => {
    let length = 0;
    while (
      length < longest &&
      depth(x + sign * length * along[0], y + sign * length * along[1]) > 0.05
    ) {
      length += 2;
    }
    return length;
  };
  return [walk(-1), walk(1)];
}
