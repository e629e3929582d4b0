import { addRing, addSpot } from '../canvas.js';
import { findPoint } from '../cell.js';
import type { Pattern } from '../pattern.js';
import { addHaze, isCytoplasm } from './cytoplasm.js';

interface Vesicles {
  readonly count: readonly [number, number];
  /** Of a spot's profile, in units of the cell. */
  readonly sigma: readonly [number, number];
  readonly brightness: readonly [number, number];
  readonly where: (depth: number, nuclearDepth: number) => boolean;
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

/** Many, tiny, alike and everywhere. */
export const peroxisomes = vesicles({
  count: [75, 110],
  sigma: [0.65, 0.85],
  brightness: [1, 1.6],
  where: isCytoplasm,
  haze: 0.03,
});

/** Fewer, unequal, more of them towards the nucleus. */
export const endosomes = vesicles({
  count: [28, 42],
  sigma: [1, 1.4],
  brightness: [0.4, 1.2],
  where: (depth, nuclear) => isCytoplasm(depth, nuclear) && nuclear > -1.1,
  haze: 0.11,
});

/** Larger, of many sizes, crowded around the nucleus. */
export const lysosomes = vesicles({
  count: [17, 26],
  sigma: [1.5, 2.6],
  brightness: [0.6, 1],
  where: (depth, nuclear) => depth > 0.1 && nuclear < -0.08 && nuclear > -0.7,
  haze: 0.02,
});

/** Few round spots, larger than vesicles, in a cytosol that shows. */
export const cytoplasmicBodies = vesicles({
  count: [4, 9],
  sigma: [1.5, 2.1],
  brightness: [1, 1.3],
  where: isCytoplasm,
  haze: 0.18,
});

/** Rings: the protein coats droplets that are dark inside. Most lie in a few clusters. */
export const lipidDroplets: Pattern = (canvas, cell, random) => {
  const { unit } = cell;
  const clusters = Array.from({ length: random.whole(2, 3) }, () =>
    findPoint(cell, random, (depth, nuclear) => isCytoplasm(depth, nuclear) && nuclear > -0.8),
  );
  for (let i = random.whole(12, 22); i > 0; i--) {
    const cluster = random.unit() < 0.65 ? (clusters[i % clusters.length] ?? null) : null;
    const point =
      cluster === null
        ? findPoint(cell, random, isCytoplasm)
        : ([
            cluster[0] + random.normal() * 6 * unit,
            cluster[1] + random.normal() * 6 * unit,
          ] as const);
    if (point === null || !isCytoplasm(cell.depth(...point), cell.nuclearDepth(...point))) continue;
    const radius = random.between(1.8, 3.3) * unit;
    addRing(canvas, point[0], point[1], radius, 0.75 * unit, random.between(0.6, 0.9));
  }
  addHaze(canvas, cell, 0.03);
};
