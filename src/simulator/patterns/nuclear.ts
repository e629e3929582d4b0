import { addSpot } from '../canvas.js';
import { type Cell, fillCell, findPoint } from '../cell.js';
import type { Pattern } from '../pattern.js';
import { createTexture } from '../texture.js';

/** 1 in a nucleolus, 0 outside, soft between. */
export function nucleolarShare(cell: Cell, x: number, y: number): number {
  let share = 0;
  for (const nucleolus of cell.nucleoli) {
    const distance = Math.hypot(x - nucleolus.x, y - nucleolus.y);
    share = Math.max(share, Math.min(1, Math.max(0, (nucleolus.radiusPx - distance) / 1.5 + 0.5)));
  }
  return share;
}

/** 1 in the nucleus, 0 outside, soft between. */
export function nuclearShare(nuclearDepth: number): number {
  return Math.min(1, Math.max(0, nuclearDepth * 14 + 0.5));
}

export const nucleoplasm: Pattern = (canvas, cell, random) => {
  const texture = createTexture(random, 3 * cell.unit);
  fillCell(canvas, cell, (_, nuclear, x, y) => {
    const share = nuclearShare(nuclear);
    if (share === 0) return 0;
    return share * (0.45 + 0.35 * texture(x, y)) * (1 - 0.8 * nucleolarShare(cell, x, y));
  });
};

export const nuclearMembrane: Pattern = (canvas, cell) => {
  const width = (1.3 * cell.unit) / cell.nucleus.radiusPx;
  fillCell(canvas, cell, (_, nuclear) => {
    const off = nuclear / width;
    return 0.95 * Math.exp(-0.5 * off * off) + 0.1 * nuclearShare(nuclear);
  });
};

export const nucleoli: Pattern = (canvas, cell) => {
  fillCell(canvas, cell, (_, nuclear, x, y) => {
    const share = nuclearShare(nuclear);
    return share === 0 ? 0 : share * (0.08 + 0.8 * nucleolarShare(cell, x, y));
  });
};

export const fibrillarCenters: Pattern = (canvas, cell, random) => {
  for (const nucleolus of cell.nucleoli) {
    for (let i = random.whole(4, 6); i > 0; i--) {
      const angle = random.between(0, 2 * Math.PI);
      const distance = nucleolus.radiusPx * random.between(0.2, 0.9);
      const x = nucleolus.x + distance * Math.cos(angle);
      const y = nucleolus.y + distance * Math.sin(angle);
      addSpot(canvas, x, y, 0.8 * cell.unit, random.between(1.2, 1.6));
    }
  }
  fillCell(canvas, cell, (_, nuclear) => 0.05 * nuclearShare(nuclear));
};

export const nuclearSpeckles: Pattern = (canvas, cell, random) => {
  for (let i = random.whole(22, 28); i > 0; i--) {
    const point = findPoint(cell, random, (_, nuclear) => nuclear > 0.12);
    if (point === null || nucleolarShare(cell, ...point) > 0.1) continue;
    const sigma = random.between(1.1, 1.9) * cell.unit;
    // two spots a little apart: speckles are irregular
    addSpot(canvas, point[0], point[1], sigma, random.between(0.5, 0.8));
    addSpot(
      canvas,
      point[0] + random.normal() * sigma,
      point[1] + random.normal() * sigma,
      sigma * 0.8,
      0.35,
    );
  }
  fillCell(canvas, cell, (_, nuclear) => 0.12 * nuclearShare(nuclear));
};

export const nuclearBodies: Pattern = (canvas, cell, random) => {
  for (let i = random.whole(5, 7); i > 0; i--) {
    const point = findPoint(cell, random, (_, nuclear) => nuclear > 0.2);
    if (point !== null)
      addSpot(canvas, point[0], point[1], 1.6 * cell.unit, random.between(1.1, 1.3));
  }
  fillCell(canvas, cell, (_, nuclear) => 0.04 * nuclearShare(nuclear));
};
