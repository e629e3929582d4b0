import { addLine, addSpot } from '../canvas.js';
import { fillCell } from '../cell.js';
import type { Pattern } from '../pattern.js';

/** The two poles of a dividing cell. */
function poles(cell: { x: number; y: number; unit: number; axis: number }) {
  const half = 19 * cell.unit;
  const along = [Math.cos(cell.axis), Math.sin(cell.axis)] as const;
  return { along, half };
}

/** A lens of fibres between two poles. */
export const mitoticSpindle: Pattern = (canvas, cell, random) => {
  const { along, half } = poles(cell);
  const count = 15;
  for (let i = 0; i < count; i++) {
    const bulge = ((i - (count - 1) / 2) / count) * 2 * 15 * cell.unit + random.normal() * 0.4;
    const steps = Math.round(half * 2);
    for (let step = 0; step <= steps; step++) {
      const t = (step / steps) * 2 - 1;
      const side = bulge * (1 - t * t);
      const x = cell.x + t * half * along[0] - side * along[1];
      const y = cell.y + t * half * along[1] + side * along[0];
      addSpot(canvas, x, y, 0.8 * cell.unit, 0.2);
    }
  }
  for (const side of [-1, 1]) {
    addSpot(
      canvas,
      cell.x + side * half * along[0],
      cell.y + side * half * along[1],
      1.8 * cell.unit,
      0.5,
    );
  }
  fillCell(canvas, cell, (depth) => (depth > 0 ? 0.07 : 0));
};

/** The last link of two daughters: a bright bar, cut by a dark gap in the middle. */
export const cytokineticBridge: Pattern = (canvas, cell) => {
  if (cell.sister === null) return;
  const dx = cell.sister[0] - cell.x;
  const dy = cell.sister[1] - cell.y;
  const distance = Math.hypot(dx, dy);
  const at = (pixels: number) =>
    [cell.x + (dx / distance) * pixels, cell.y + (dy / distance) * pixels] as const;
  const middle = distance / 2;
  // The half of this cell's side; its sister draws the other.
  addLine(canvas, at(middle - 14 * cell.unit), at(middle - 2 * cell.unit), 2 * cell.unit, 1);
  fillCell(canvas, cell, (depth) => (depth > 0 ? 0.05 : 0));
};
