import { addSpot } from '../canvas.js';
import { fillCell } from '../cell.js';
import { addFibre } from '../fibre.js';
import type { Pattern } from '../pattern.js';
import { createRandom, mixSeed } from '../random.js';
import { createTexture } from '../texture.js';
import { cytoplasmicShare } from './cytoplasm.js';

/** A mesh through the cytoplasm, dense at the nucleus and around it; the same in every stain of a cell. */
export const endoplasmicReticulum: Pattern = (canvas, cell) => {
  const random = createRandom(mixSeed(cell.seed, 1));
  const coarse = createTexture(random, 5 * cell.unit);
  const fine = createTexture(random, 2 * cell.unit);
  const rim = (1.2 * cell.unit) / cell.nucleus.radiusPx;
  fillCell(canvas, cell, (depth, nuclear, x, y) => {
    const envelope = 0.35 * Math.exp(-0.5 * (nuclear / rim) ** 2);
    const share = cytoplasmicShare(depth, nuclear);
    if (share === 0) return envelope;
    // A mesh: bright where the noise crosses its middle, dense at the nucleus.
    const mesh = 1 - Math.min(1, 5 * Math.abs(fine(x, y) - 0.5));
    const dense = Math.exp(Math.min(0, nuclear) * 1.5);
    return envelope + share * dense * (0.2 + 0.7 * mesh) * (0.6 + 0.6 * coarse(x, y));
  });
};

/** Ribbons on one side of the nucleus, around the centrosome, with vesicles about them. */
export const golgiApparatus: Pattern = (canvas, cell, random) => {
  const { nucleus, unit, mtoc } = cell;
  const middle = Math.atan2(mtoc[1] - nucleus.y, mtoc[0] - nucleus.x);
  const spread = random.between(0.5, 1.1);
  const place = (): readonly [number, number, number] => {
    const angle = middle + random.between(-spread, spread);
    const distance = nucleus.radiusPx * 1.15 + random.between(1, 9) * unit;
    return [nucleus.x + distance * Math.cos(angle), nucleus.y + distance * Math.sin(angle), angle];
  };
  for (let i = random.whole(9, 13); i > 0; i--) {
    const [x, y, angle] = place();
    addFibre(
      canvas,
      cell,
      {
        start: [x, y],
        heading: angle + Math.PI / 2 + random.between(-0.6, 0.6),
        lengthPx: random.between(5, 12) * unit,
        sigmaPx: 1.15 * unit,
        brightness: random.between(0.7, 0.95),
        wobble: 0.3,
        avoidsNucleus: true,
      },
      random,
    );
  }
  for (let i = random.whole(3, 7); i > 0; i--) {
    const [x, y] = place();
    addSpot(canvas, x, y, 1.1 * unit, random.between(0.5, 0.8));
  }
};
