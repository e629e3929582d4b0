import { addLine, addRing, addSpot, type Canvas } from '../canvas.js';
import { type Cell, fillCell, findPoint } from '../cell.js';
import { addFibre } from '../fibre.js';
import type { Pattern } from '../pattern.js';
import type { Random } from '../random.js';
import { createTexture } from '../texture.js';
import { nuclearShare } from './nuclear.js';

/** 1 in the cytoplasm, 0 in the nucleus and outside the cell, soft between. */
export function cytoplasmicShare(depth: number, nuclearDepth: number): number {
  return Math.min(1, Math.max(0, depth * 12)) * (1 - nuclearShare(nuclearDepth));
}

const isCytoplasm = (depth: number, nuclear: number) => depth > 0.07 && nuclear < -0.06;
const isPerinuclear = (depth: number, nuclear: number) =>
  depth > 0.1 && nuclear < -0.08 && nuclear > -0.7;

interface Vesicles {
  readonly count: readonly [number, number];
  /** Of a spot's profile, in units of the cell. */
  readonly sigma: readonly [number, number];
  readonly brightness: readonly [number, number];
  readonly where: (depth: number, nuclear: number) => boolean;
  /** Light of the cytoplasm between them. */
  readonly haze: number;
}

function vesicles(options: Vesicles): Pattern {
  return (canvas, cell, random) => {
    for (let i = random.whole(...options.count); i > 0; i--) {
      const point = findPoint(cell, random, options.where);
      if (point === null) continue;
      const sigma = random.between(...options.sigma) * cell.unit;
      addSpot(canvas, point[0], point[1], sigma, random.between(...options.brightness));
    }
    addHaze(canvas, cell, options.haze);
  };
}

function addHaze(canvas: Canvas, cell: Cell, brightness: number): void {
  fillCell(canvas, cell, (depth, nuclear) => brightness * cytoplasmicShare(depth, nuclear));
}

export const peroxisomes = vesicles({
  count: [85, 100],
  sigma: [0.65, 0.85],
  brightness: [1, 1.6],
  where: isCytoplasm,
  haze: 0.03,
});

export const endosomes = vesicles({
  count: [30, 38],
  sigma: [1.1, 1.5],
  brightness: [0.5, 1.3],
  where: isCytoplasm,
  haze: 0.11,
});

export const lysosomes = vesicles({
  count: [20, 24],
  sigma: [1.9, 2.4],
  brightness: [0.6, 1],
  where: isPerinuclear,
  haze: 0.02,
});

export const cytoplasmicBodies = vesicles({
  count: [5, 8],
  sigma: [1.6, 2],
  brightness: [1.1, 1.3],
  where: isCytoplasm,
  haze: 0.2,
});

export const lipidDroplets: Pattern = (canvas, cell, random) => {
  for (let i = random.whole(14, 20); i > 0; i--) {
    const point = findPoint(cell, random, isCytoplasm);
    const radius = random.between(2.2, 3.2) * cell.unit;
    if (point !== null) addRing(canvas, point[0], point[1], radius, 0.8 * cell.unit, 0.75);
  }
  addHaze(canvas, cell, 0.03);
};

export const endoplasmicReticulum: Pattern = (canvas, cell, random) => {
  const coarse = createTexture(random, 5 * cell.unit);
  const fine = createTexture(random, 2 * cell.unit);
  fillCell(canvas, cell, (depth, nuclear, x, y) => {
    const share = cytoplasmicShare(depth, nuclear);
    if (share === 0) return 0;
    // A mesh: bright where the noise crosses its middle, dense at the nucleus.
    const mesh = 1 - Math.min(1, 5 * Math.abs(fine(x, y) - 0.5));
    const dense = Math.exp(Math.min(0, nuclear) * 1.5);
    return share * dense * (0.25 + 0.65 * mesh) * (0.6 + 0.6 * coarse(x, y));
  });
};

export const golgiApparatus: Pattern = (canvas, cell, random) => {
  const { nucleus, unit, mtoc } = cell;
  const middle = Math.atan2(mtoc[1] - nucleus.y, mtoc[0] - nucleus.x);
  for (let i = 0; i < 13; i++) {
    const angle = middle + random.between(-0.9, 0.9);
    const distance = nucleus.radiusPx * 1.18 + random.between(1, 9) * unit;
    const start = [
      nucleus.x + distance * Math.cos(angle),
      nucleus.y + distance * Math.sin(angle),
    ] as const;
    addFibre(
      canvas,
      cell,
      {
        start,
        heading: angle + Math.PI / 2 + random.between(-0.5, 0.5),
        lengthPx: random.between(7, 13) * unit,
        sigmaPx: 1.3 * unit,
        brightness: 0.85,
        wobble: 0.25,
        avoidsNucleus: true,
      },
      random,
    );
  }
};

export const mitochondria: Pattern = (canvas, cell, random) => {
  for (let i = random.whole(44, 52); i > 0; i--) {
    const start = findPoint(cell, random, (depth, nuclear) => depth > 0.12 && nuclear < -0.1);
    if (start === null) continue;
    addFibre(
      canvas,
      cell,
      {
        start,
        heading: random.between(0, 2 * Math.PI),
        lengthPx: random.between(7, 14) * cell.unit,
        sigmaPx: 0.9 * cell.unit,
        brightness: random.between(0.5, 0.8),
        wobble: 0.3,
        avoidsNucleus: true,
      },
      random,
    );
  }
};

export const aggresome: Pattern = (canvas, cell, random) => {
  const [x, y] = cell.mtoc;
  const { unit } = cell;
  const away = Math.atan2(y - cell.nucleus.y, x - cell.nucleus.x);
  for (let i = 0; i < 7; i++) {
    const px = x + 5 * unit * Math.cos(away) + random.normal() * 2.2 * unit;
    const py = y + 5 * unit * Math.sin(away) + random.normal() * 2.2 * unit;
    addSpot(canvas, px, py, 4.4 * unit, 0.34);
  }
  addHaze(canvas, cell, 0.08);
};

export const cytosol: Pattern = (canvas, cell, random) => {
  const texture = createTexture(random, 4 * cell.unit);
  fillCell(canvas, cell, (depth, nuclear, x, y) => {
    const inside = Math.min(1, Math.max(0, depth * 10));
    return inside * (1 - 0.7 * nuclearShare(nuclear)) * (0.4 + 0.15 * texture(x, y));
  });
};

export const rodsAndRings: Pattern = (canvas, cell, random) => {
  for (let i = random.whole(3, 4); i > 0; i--) addRod(canvas, cell, random);
  for (let i = random.whole(2, 3); i > 0; i--) {
    const point = findPoint(cell, random, isCytoplasm);
    if (point !== null) addRing(canvas, point[0], point[1], 4.6 * cell.unit, 0.9 * cell.unit, 1.1);
  }
};

function addRod(canvas: Canvas, cell: Cell, random: Random): void {
  const point = findPoint(cell, random, isCytoplasm);
  if (point === null) return;
  const angle = random.between(0, Math.PI);
  const half = random.between(5, 7) * cell.unit;
  const dx = half * Math.cos(angle);
  const dy = half * Math.sin(angle);
  addLine(canvas, [point[0] - dx, point[1] - dy], [point[0] + dx, point[1] + dy], cell.unit, 1);
}
