import { addSpot } from '../canvas.js';
import { type Cell, fillCell } from '../cell.js';
import type { Pattern } from '../pattern.js';
import { createTexture } from '../texture.js';
import { addHaze } from './cytoplasm.js';

/** How far the edge of a cell is from its centre at an angle, to half a pixel. */
function edgeAt(cell: Cell, angle: number): number {
  let reach = cell.radiusPx * 0.5;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  while (reach < 2 * cell.radiusPx && cell.depth(cell.x + reach * c, cell.y + reach * s) > 0.015) {
    reach += 0.5;
  }
  return reach;
}

/** A bright rim with fine hairs on it, and weakly the whole flat surface. */
export const plasmaMembrane: Pattern = (canvas, cell, random) => {
  const { unit } = cell;
  const width = (1.3 * unit) / cell.radiusPx;
  const surface = random.between(0.04, 0.16);
  const texture = createTexture(random, 2 * unit);
  fillCell(canvas, cell, (depth, _, x, y) => {
    const off = (depth - 0.02) / width;
    const flat = depth > 0 ? surface * (0.5 + texture(x, y)) : 0;
    return 0.85 * Math.exp(-0.5 * off * off) + flat;
  });
  const hairs = random.whole(20, 70);
  for (let i = 0; i < hairs; i++) {
    const angle = random.between(0, 2 * Math.PI);
    const reach = edgeAt(cell, angle);
    const lean = angle + random.between(-0.4, 0.4);
    const length = random.between(1, 5) * unit;
    for (let out = 0; out < length; out++) {
      const x = cell.x + reach * Math.cos(angle) + out * Math.cos(lean);
      const y = cell.y + reach * Math.sin(angle) + out * Math.sin(lean);
      addSpot(canvas, x, y, 0.65 * unit, 0.22);
    }
  }
};

/** Stretches of the edge where a neighbour would touch: bright, uneven, with gaps between. */
export const cellJunctions: Pattern = (canvas, cell, random) => {
  const { unit, radiusPx } = cell;
  const turn = random.between(0, 2 * Math.PI);
  const contacts = random.whole(2, 3);
  for (let contact = 0; contact < contacts; contact++) {
    const from = turn + (contact * 2 * Math.PI) / contacts + random.between(-0.3, 0.3);
    const to = from + random.between(0.6, 1.1);
    let brightness = 0.6;
    for (let angle = from; angle < to; angle += unit / radiusPx) {
      brightness = Math.min(0.8, Math.max(0, brightness + random.normal() * 0.15));
      const reach = edgeAt(cell, angle) + random.normal() * 0.4 * unit;
      const x = cell.x + reach * Math.cos(angle);
      const y = cell.y + reach * Math.sin(angle);
      addSpot(canvas, x, y, 0.95 * unit, 0.75 * brightness);
    }
  }
  addHaze(canvas, cell, 0.03);
};
