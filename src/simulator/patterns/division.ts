import { addLine, addSpot } from '../canvas.js';
import { fillCell } from '../cell.js';
import type { Pattern } from '../pattern.js';
import { createRandom, mixSeed } from '../random.js';

/** A lens of fibres between two poles; the same in every stain of a cell. */
export const mitoticSpindle: Pattern = (canvas, cell) => {
  const random = createRandom(mixSeed(cell.seed, 3));
  const { unit } = cell;
  const along = [Math.cos(cell.axis), Math.sin(cell.axis)] as const;
  const half = random.between(15, 22) * unit;
  const belly = random.between(12, 17) * unit;
  const count = 15;
  for (let i = 0; i < count; i++) {
    const bulge = ((i - (count - 1) / 2) / count) * 2 * belly + random.normal() * 0.6 * unit;
    const reach = random.between(0.75, 1);
    const brightness = random.between(0.12, 0.26);
    const steps = Math.round(half * 2);
    for (let step = 0; step <= steps; step++) {
      const t = ((step / steps) * 2 - 1) * reach;
      const side = bulge * (1 - t * t);
      const x = cell.x + t * half * along[0] - side * along[1];
      const y = cell.y + t * half * along[1] + side * along[0];
      addSpot(canvas, x, y, 0.8 * unit, brightness);
    }
  }
  for (const side of [-1, 1]) {
    const x = cell.x + side * half * along[0];
    const y = cell.y + side * half * along[1];
    addSpot(canvas, x, y, 1.8 * unit, 0.5);
  }
  fillCell(canvas, cell, (depth) => (depth > 0 ? 0.07 : 0));
};

/** The last link of two daughters: bundles that run together to the middle, with a dark gap there. */
export const cytokineticBridge: Pattern = (canvas, cell) => {
  if (cell.sister === null) return;
  const random = createRandom(mixSeed(cell.seed, 4));
  const { unit } = cell;
  const dx = cell.sister[0] - cell.x;
  const dy = cell.sister[1] - cell.y;
  const distance = Math.hypot(dx, dy);
  const at = (forward: number, side: number) =>
    [
      cell.x + (dx / distance) * forward - (dy / distance) * side,
      cell.y + (dy / distance) * forward + (dx / distance) * side,
    ] as const;
  const middle = distance / 2;
  // The half of this cell's side; its sister draws the other.
  for (let i = -2; i <= 2; i++) {
    const far = (i + random.between(-0.4, 0.4)) * 2.6 * unit;
    const from = middle - random.between(12, 20) * unit;
    addLine(canvas, at(from, far), at(middle - 2.6 * unit, 0.5 * i * unit), unit, 0.34);
  }
  fillCell(canvas, cell, (depth) => (depth > 0 ? 0.05 : 0));
};
