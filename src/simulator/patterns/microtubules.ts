import { addSpot } from '../canvas.js';
import type { Cell } from '../cell.js';
import { drawTrack, stepFor, type Track, traceFibre } from '../fibre.js';
import type { Pattern } from '../pattern.js';
import { createRandom, mixSeed } from '../random.js';
import { addHaze } from './cytoplasm.js';

const count = 56;
const sigma = 0.7;

/** The network of a cell, the same for every stain: most of it from around the nucleus outward, a part from the organizing centre. */
function network(cell: Cell): readonly { readonly track: Track; readonly brightness: number }[] {
  const random = createRandom(mixSeed(cell.seed, 2));
  const { nucleus, unit } = cell;
  return Array.from({ length: count }, (_, i) => {
    // A little askew, so that they cross.
    const angle = ((i + random.unit()) / count) * 2 * Math.PI;
    const distance = nucleus.radiusPx * random.between(1.05, 1.35);
    const start =
      i % 3 === 0
        ? cell.mtoc
        : ([
            nucleus.x + distance * Math.cos(angle),
            nucleus.y + distance * Math.sin(angle),
          ] as const);
    const course = {
      start,
      heading: angle + random.between(-1.1, 1.1),
      lengthPx: random.between(30, 75) * unit,
      stepPx: stepFor(sigma * unit),
      wobble: 0.06,
      avoidsNucleus: true,
    };
    const brightness = random.between(0.3, 0.55);
    return { track: traceFibre(cell, course, random), brightness };
  });
}

export const microtubules: Pattern = (canvas, cell) => {
  for (const { track, brightness } of network(cell)) {
    drawTrack(canvas, track, sigma * cell.unit, brightness);
  }
  addHaze(canvas, cell, 0.06);
};

/** Only the tips of the network: short comets, bright in front, sprinkled where microtubules end. */
export const microtubuleEnds: Pattern = (canvas, cell, random) => {
  const { unit } = cell;
  for (const { track } of network(cell)) {
    if (track.length < 6 || random.unit() < 0.1) continue;
    const length = random.between(3, 6) * unit;
    for (let i = track.length - 1; i >= 0; i--) {
      const back = (track.length - 1 - i) * stepFor(sigma * unit);
      if (back > length) break;
      const [x, y] = track[i]!;
      addSpot(canvas, x, y, 0.8 * unit, 0.9 * (1 - (0.7 * back) / length));
    }
  }
  addHaze(canvas, cell, 0.04);
};

/** A cloud of granules around the centre of the microtubules, without a clear edge. */
export const microtubuleOrganizingCenter: Pattern = (canvas, cell, random) => {
  const [x, y] = cell.mtoc;
  const { unit } = cell;
  const spread = random.between(3, 4.5) * unit;
  addSpot(canvas, x, y, 1.1 * spread, 0.3);
  for (let i = random.whole(18, 28); i > 0; i--) {
    const granuleX = x + random.normal() * spread;
    const granuleY = y + random.normal() * spread;
    addSpot(canvas, granuleX, granuleY, 0.85 * unit, random.between(0.3, 0.6));
  }
  addHaze(canvas, cell, 0.03);
};

/** One or two sharp dots at the centre of the microtubules. */
export const centrosome: Pattern = (canvas, cell, random) => {
  const [x, y] = cell.mtoc;
  const { unit } = cell;
  const angle = random.between(0, Math.PI);
  const half = random.between(1.3, 3) * unit;
  const sides = random.unit() < 0.3 ? [0] : [-1, 1];
  for (const side of sides) {
    const dx = side * half * Math.cos(angle);
    const dy = side * half * Math.sin(angle);
    addSpot(canvas, x + dx, y + dy, 1.45 * unit, 1.4);
  }
  addHaze(canvas, cell, 0.03);
};
