import { addDisc, addSpot, type Canvas } from '../canvas.js';
import { type Cell, fillCell, findPoint } from '../cell.js';
import type { Pattern } from '../pattern.js';
import type { Random } from '../random.js';
import { createTexture } from '../texture.js';

/** 1 in a nucleolus, 0 outside, soft between. */
export function nucleolarShare(cell: Cell, x: number, y: number): number {
  let share = 0;
  for (const round of cell.nucleoli) {
    const distance = Math.hypot(x - round.x, y - round.y);
    share = Math.max(share, Math.min(1, Math.max(0, (round.radiusPx - distance) / 1.5 + 0.5)));
  }
  return share;
}

/** 1 in the nucleus, 0 outside, soft between. */
export function nuclearShare(nuclearDepth: number): number {
  return Math.min(1, Math.max(0, nuclearDepth * 14 + 0.5));
}

function addNuclearHaze(canvas: Canvas, cell: Cell, brightness: number): void {
  fillCell(canvas, cell, (_, nuclear) => brightness * nuclearShare(nuclear));
}

export const nucleoplasm: Pattern = (canvas, cell, random) => {
  const grain = random.between(0.15, 0.55);
  const texture = createTexture(random, random.between(1.6, 4) * cell.unit);
  fillCell(canvas, cell, (_, nuclear, x, y) => {
    const share = nuclearShare(nuclear);
    if (share === 0) return 0;
    const smooth = 0.65 + grain * (texture(x, y) - 0.5);
    return share * smooth * (1 - 0.8 * nucleolarShare(cell, x, y));
  });
};

export const nuclearMembrane: Pattern = (canvas, cell, random) => {
  const width = (1.1 * cell.unit) / cell.nucleus.radiusPx;
  fillCell(canvas, cell, (_, nuclear) => {
    const off = nuclear / width;
    return 0.95 * Math.exp(-0.5 * off * off) + 0.12 * nuclearShare(nuclear);
  });
  for (let i = random.whole(0, 2); i > 0; i--) addFold(canvas, cell, random);
};

/** Where the membrane folds inward, it shows as a line from the rim into the nucleus. */
function addFold(canvas: Canvas, cell: Cell, random: Random): void {
  const { nucleus, unit } = cell;
  const from = random.between(0, 2 * Math.PI);
  const heading = from + Math.PI + random.between(-0.7, 0.7);
  const bend = random.between(-0.7, 0.7) / nucleus.radiusPx;
  const length = nucleus.radiusPx * random.between(0.4, 0.9);
  let x = nucleus.x + nucleus.radiusPx * Math.cos(from);
  let y = nucleus.y + nucleus.radiusPx * Math.sin(from);
  for (let along = 0; along < length; along++) {
    if (cell.nuclearDepth(x, y) > 0) addSpot(canvas, x, y, 0.8 * unit, 0.5 * (1 - along / length));
    x += Math.cos(heading + along * bend);
    y += Math.sin(heading + along * bend);
  }
}

export const nucleoli: Pattern = (canvas, cell) => {
  fillCell(canvas, cell, (_, nuclear, x, y) => {
    const share = nuclearShare(nuclear);
    return share === 0 ? 0 : share * (0.08 + 0.8 * nucleolarShare(cell, x, y));
  });
};

/** A cluster of dots in each nucleolus, or in some cells one larger dot. */
export const fibrillarCenters: Pattern = (canvas, cell, random) => {
  const isSingle = random.unit() < 0.2;
  for (const round of cell.nucleoli) {
    for (let i = isSingle ? 1 : random.whole(3, 5); i > 0; i--) {
      const angle = random.between(0, 2 * Math.PI);
      const distance = round.radiusPx * random.between(0, isSingle ? 0.3 : 0.95);
      const x = round.x + distance * Math.cos(angle);
      const y = round.y + distance * Math.sin(angle);
      const sigma = (isSingle ? 1.4 : 0.75) * cell.unit;
      addSpot(canvas, x, y, sigma, random.between(1, 1.5));
    }
  }
  addNuclearHaze(canvas, cell, 0.05);
};

/** Twenty to fifty irregular spots, each of some granules, between the nucleoli. */
export const nuclearSpeckles: Pattern = (canvas, cell, random) => {
  for (let i = random.whole(24, 44); i > 0; i--) {
    const point = findPoint(cell, random, (_, nuclear) => nuclear > 0.1);
    if (point === null || nucleolarShare(cell, ...point) > 0.1) continue;
    const sigma = random.between(0.8, 1.4) * cell.unit;
    for (let granule = random.whole(1, 3); granule > 0; granule--) {
      const x = point[0] + random.normal() * sigma;
      const y = point[1] + random.normal() * sigma;
      addSpot(canvas, x, y, sigma * random.between(0.7, 1), random.between(0.4, 0.75));
    }
  }
  addNuclearHaze(canvas, cell, 0.14);
};

/** A few distinct round spots that keep out of the nucleoli. */
export const nuclearBodies: Pattern = (canvas, cell, random) => {
  const radius = random.between(1.2, 2.2) * cell.unit;
  for (let i = random.whole(3, 9); i > 0; i--) {
    const point = findPoint(cell, random, (_, nuclear) => nuclear > 0.15);
    if (point === null || nucleolarShare(cell, ...point) > 0.1) continue;
    addDisc(canvas, point[0], point[1], radius * random.between(0.8, 1.2), 0.9);
  }
  addNuclearHaze(canvas, cell, 0.04);
};
