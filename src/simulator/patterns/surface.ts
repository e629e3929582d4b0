import { addSpot } from '../canvas.js';
import { fillCell } from '../cell.js';
import type { Pattern } from '../pattern.js';
import { cytoplasmicShare } from './cytoplasmic.js';

export const plasmaMembrane: Pattern = (canvas, cell, random) => {
  const width = (1.5 * cell.unit) / cell.radiusPx;
  fillCell(canvas, cell, (depth, nuclear) => {
    const off = (depth - 0.02) / width;
    return 0.85 * Math.exp(-0.5 * off * off) + 0.06 * cytoplasmicShare(depth, nuclear);
  });
  // fine hairs outside of it
  for (let i = 0; i < 50; i++) {
    const angle = random.between(0, 2 * Math.PI);
    let reach = cell.radiusPx * 0.7;
    while (cell.depth(cell.x + reach * Math.cos(angle), cell.y + reach * Math.sin(angle)) > 0)
      reach++;
    for (let k = 0; k < 3; k++) {
      const distance = reach + k * 1.2 * cell.unit;
      addSpot(
        canvas,
        cell.x + distance * Math.cos(angle),
        cell.y + distance * Math.sin(angle),
        0.7 * cell.unit,
        0.25,
      );
    }
  }
};

/** Bright, beaded stretches of the edge, where a neighbour would touch. */
export const cellJunctions: Pattern = (canvas, cell, random) => {
  const { unit } = cell;
  const turn = random.between(0, 2 * Math.PI);
  for (let contact = 0; contact < 3; contact++) {
    const from = turn + contact * 2.1 + random.between(-0.15, 0.15);
    for (let angle = from; angle < from + 0.85; angle += 0.065) {
      let reach = cell.radiusPx * 0.7;
      while (
        cell.depth(cell.x + reach * Math.cos(angle), cell.y + reach * Math.sin(angle)) > 0.02
      ) {
        reach += 0.5;
      }
      const x = cell.x + reach * Math.cos(angle) + random.normal() * 0.7 * unit;
      const y = cell.y + reach * Math.sin(angle) + random.normal() * 0.7 * unit;
      addSpot(canvas, x, y, 1.7 * unit, random.between(0.5, 0.9));
    }
  }
  fillCell(canvas, cell, (depth, nuclear) => 0.03 * cytoplasmicShare(depth, nuclear));
};
