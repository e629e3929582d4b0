import { addSpot, type Canvas } from './canvas.js';
import { type Cell, fillCell } from './cell.js';
import { cytokineticBridge, mitoticSpindle } from './patterns/division.js';
import { endoplasmicReticulum } from './patterns/endomembranes.js';
import { microtubules } from './patterns/microtubules.js';
import { nuclearShare, nucleolarShare } from './patterns/nuclear.js';
import type { Random } from './random.js';
import { createTexture } from './texture.js';

/** What the three reference stains show of a cell, whatever its protein does. */
export interface ReferenceCanvases {
  readonly microtubules: Canvas;
  readonly nucleus: Canvas;
  readonly endoplasmicReticulum: Canvas;
}

export function addReferenceStains(into: ReferenceCanvases, cell: Cell, random: Random): void {
  if (cell.phase === 'mitotic') {
    mitoticSpindle(into.microtubules, cell, random);
    addMetaphasePlate(into.nucleus, cell, random);
    const texture = createTexture(random, 2.5 * cell.unit);
    fillCell(
      into.endoplasmicReticulum,
      cell,
      (depth, _, x, y) => 0.5 * texture(x, y) * Math.min(1, Math.max(0, depth * 8)),
    );
    return;
  }
  microtubules(into.microtubules, cell, random);
  if (cell.sister !== null) cytokineticBridge(into.microtubules, cell, random);
  addNucleus(into.nucleus, cell, random);
  endoplasmicReticulum(into.endoplasmicReticulum, cell, random);
}

function addNucleus(canvas: Canvas, cell: Cell, random: Random): void {
  const texture = createTexture(random, 3.5 * cell.unit);
  fillCell(canvas, cell, (_, nuclear, x, y) => {
    const share = nuclearShare(nuclear);
    if (share === 0) return 0;
    return share * (0.42 + 0.35 * texture(x, y)) * (1 - 0.55 * nucleolarShare(cell, x, y));
  });
}

/** Condensed chromosomes, lined up across the spindle. */
function addMetaphasePlate(canvas: Canvas, cell: Cell, random: Random): void {
  const across = [-Math.sin(cell.axis), Math.cos(cell.axis)] as const;
  for (let i = 0; i < 26; i++) {
    const offset = random.between(-14, 14) * cell.unit;
    const thickness = random.normal() * 1.3 * cell.unit;
    const x = cell.x + offset * across[0] + thickness * across[1];
    const y = cell.y + offset * across[1] - thickness * across[0];
    addSpot(canvas, x, y, 2.2 * cell.unit, 0.3);
  }
}
