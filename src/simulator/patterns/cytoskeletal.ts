import { addLine, addSpot } from '../canvas.js';
import { fillCell, findPoint } from '../cell.js';
import { addFibre } from '../fibre.js';
import type { Pattern } from '../pattern.js';
import { cytoplasmicShare } from './cytoplasmic.js';

export const microtubules: Pattern = (canvas, cell, random) => {
  const { nucleus, unit } = cell;
  const count = 56;
  for (let i = 0; i < count; i++) {
    // From around the nucleus outward, a little askew, so that they cross.
    const angle = ((i + random.unit()) / count) * 2 * Math.PI;
    const distance = nucleus.radiusPx * random.between(1.05, 1.35);
    const fromMtoc = i % 4 === 0;
    const start = fromMtoc
      ? cell.mtoc
      : ([nucleus.x + distance * Math.cos(angle), nucleus.y + distance * Math.sin(angle)] as const);
    addFibre(
      canvas,
      cell,
      {
        start,
        heading: angle + random.between(-1.1, 1.1),
        lengthPx: random.between(30, 70) * unit,
        sigmaPx: 0.7 * unit,
        brightness: random.between(0.3, 0.55),
        wobble: 0.06,
        avoidsNucleus: true,
      },
      random,
    );
  }
  fillCell(canvas, cell, (depth, nuclear) => 0.06 * cytoplasmicShare(depth, nuclear));
};

export const intermediateFilaments: Pattern = (canvas, cell, random) => {
  const { nucleus, unit } = cell;
  for (let i = 0; i < 26; i++) {
    const angle = random.between(0, 2 * Math.PI);
    const distance = nucleus.radiusPx * random.between(1.08, 1.4);
    addFibre(
      canvas,
      cell,
      {
        start: [nucleus.x + distance * Math.cos(angle), nucleus.y + distance * Math.sin(angle)],
        // around the nucleus like a cage, not away from it
        heading: angle + (random.unit() < 0.5 ? 1 : -1) * random.between(1.2, 1.8),
        lengthPx: random.between(24, 44) * unit,
        sigmaPx: 1.2 * unit,
        brightness: random.between(0.35, 0.6),
        wobble: 0.28,
        avoidsNucleus: true,
      },
      random,
    );
  }
};

export const actinFilaments: Pattern = (canvas, cell, random) => {
  const { axis, unit, radiusPx } = cell;
  const along = [Math.cos(axis), Math.sin(axis)] as const;
  const spacing = 5.2 * unit;
  for (let offset = -radiusPx; offset <= radiusPx; offset += spacing * random.between(0.8, 1.2)) {
    const x = cell.x - offset * along[1];
    const y = cell.y + offset * along[0];
    const reach = chord(cell.depth, x, y, along, radiusPx * 1.4);
    if (reach === null) continue;
    const lean = random.between(-0.04, 0.04);
    const direction = [Math.cos(axis + lean), Math.sin(axis + lean)] as const;
    addLine(
      canvas,
      [x - reach[0] * direction[0], y - reach[0] * direction[1]],
      [x + reach[1] * direction[0], y + reach[1] * direction[1]],
      0.95 * unit,
      random.between(0.5, 0.85),
    );
  }
  fillCell(canvas, cell, (depth) => (depth > 0 ? 0.07 : 0));
};

/** How far a straight line through a point stays inside, backward and forward. */
function chord(
  depth: (x: number, y: number) => number,
  x: number,
  y: number,
  along: readonly [number, number],
  longest: number,
): readonly [number, number] | null {
  if (depth(x, y) < 0.05) return null;
  const walk = (sign: number) => {
    let length = 0;
    while (
      length < longest &&
      depth(x + sign * length * along[0], y + sign * length * along[1]) > 0.05
    ) {
      length += 2;
    }
    return length;
  };
  return [walk(-1), walk(1)];
}

export const focalAdhesions: Pattern = (canvas, cell, random) => {
  const { unit } = cell;
  for (let i = 0; i < 26; i++) {
    const angle = ((i + random.between(0, 0.7)) / 26) * 2 * Math.PI;
    const out = [Math.cos(angle), Math.sin(angle)] as const;
    const reach = chord(cell.depth, cell.x, cell.y, out, cell.radiusPx * 1.6)?.[1] ?? 0;
    const inner = reach - random.between(5, 9) * unit;
    const outer = reach - 1 * unit;
    addLine(
      canvas,
      [cell.x + inner * out[0], cell.y + inner * out[1]],
      [cell.x + outer * out[0], cell.y + outer * out[1]],
      1.1 * unit,
      random.between(0.75, 1),
    );
  }
  fillCell(canvas, cell, (depth, nuclear) => 0.03 * cytoplasmicShare(depth, nuclear));
};

export const microtubuleEnds: Pattern = (canvas, cell, random) => {
  const { unit } = cell;
  for (let i = random.whole(44, 54); i > 0; i--) {
    const tip = findPoint(
      cell,
      random,
      (depth, nuclear) => depth > 0.03 && depth < 0.42 && nuclear < -0.2,
    );
    if (tip === null) continue;
    // a comet: bright head toward the edge, fading tail toward the centre
    const angle = Math.atan2(tip[1] - cell.y, tip[0] - cell.x) + random.between(-0.35, 0.35);
    for (let k = 0; k < 5; k++) {
      const back = k * 1.1 * unit;
      const brightness = 0.95 * (1 - k / 6);
      addSpot(
        canvas,
        tip[0] - back * Math.cos(angle),
        tip[1] - back * Math.sin(angle),
        0.8 * unit,
        brightness,
      );
    }
  }
};

export const microtubuleOrganizingCenter: Pattern = (canvas, cell, random) => {
  const [x, y] = cell.mtoc;
  const { unit } = cell;
  addSpot(canvas, x, y, 2.6 * unit, 0.8);
  for (let i = 0; i < 11; i++) {
    addFibre(
      canvas,
      cell,
      {
        start: [x, y],
        heading: (i / 11) * 2 * Math.PI + random.between(-0.2, 0.2),
        lengthPx: random.between(10, 15) * unit,
        sigmaPx: 0.8 * unit,
        brightness: 0.5,
        wobble: 0.05,
        avoidsNucleus: false,
      },
      random,
    );
  }
};

export const centrosome: Pattern = (canvas, cell, random) => {
  const [x, y] = cell.mtoc;
  const { unit } = cell;
  const angle = random.between(0, Math.PI);
  for (const side of [-1, 1]) {
    const dx = side * 2.6 * unit * Math.cos(angle);
    const dy = side * 2.6 * unit * Math.sin(angle);
    addSpot(canvas, x + dx, y + dy, 1.4 * unit, 1.5);
  }
  fillCell(canvas, cell, (depth, nuclear) => 0.06 * cytoplasmicShare(depth, nuclear));
};
