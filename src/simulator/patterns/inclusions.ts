import { addDisc, addLine, addRing, addSpot, type Canvas } from '../canvas.js';
import { type Cell, findPoint } from '../cell.js';
import type { Pattern } from '../pattern.js';
import type { Random } from '../random.js';
import { addHaze, isCytoplasm } from './cytoplasm.js';

/** One dense lump beside the nucleus, where the centrosome is; in some cells a second one near. */
export const aggresome: Pattern = (canvas, cell, random) => {
  const [x, y] = cell.mtoc;
  const { unit, nucleus } = cell;
  const away = Math.atan2(y - nucleus.y, x - nucleus.x);
  const radius = random.between(4, 7) * unit;
  const off = radius * 0.7;
  addLump(canvas, x + off * Math.cos(away), y + off * Math.sin(away), radius, random);
  if (random.unit() < 0.25) {
    const side = away + random.between(0.5, 0.9);
    const distance = nucleus.radiusPx + 6 * unit;
    const secondX = nucleus.x + distance * Math.cos(side);
    const secondY = nucleus.y + distance * Math.sin(side);
    addLump(canvas, secondX, secondY, radius * 0.6, random);
  }
  addHaze(canvas, cell, 0.07);
};

function addLump(canvas: Canvas, x: number, y: number, radiusPx: number, random: Random): void {
  addDisc(canvas, x, y, radiusPx, 0.7);
  for (let i = 0; i < 5; i++) {
    const grainX = x + random.normal() * radiusPx * 0.4;
    const grainY = y + random.normal() * radiusPx * 0.4;
    addSpot(canvas, grainX, grainY, radiusPx * 0.35, 0.14);
  }
}

/** Straight rods of 3 to 10 um and rings of 2 to 5 um across, a few of each or of one kind. */
export const rodsAndRings: Pattern = (canvas, cell, random) => {
  const { unit } = cell;
  const rings = random.whole(0, 4);
  for (let i = random.whole(rings < 2 ? 4 : 2, 6); i > 0; i--) addRod(canvas, cell, random);
  for (let i = rings; i > 0; i--) {
    const point = findPoint(cell, random, isCytoplasm);
    if (point === null) continue;
    addRing(canvas, point[0], point[1], random.between(3.4, 5.4) * unit, 0.7 * unit, 1);
  }
  addHaze(canvas, cell, 0.03);
};

function addRod(canvas: Canvas, cell: Cell, random: Random): void {
  const point = findPoint(cell, random, (depth, nuclear) => depth > 0.15 && nuclear < -0.1);
  if (point === null) return;
  const angle = random.between(0, Math.PI);
  const half = random.between(4, 9) * cell.unit;
  const dx = half * Math.cos(angle);
  const dy = half * Math.sin(angle);
  const ends = [
    [point[0] - dx, point[1] - dy],
    [point[0] + dx, point[1] + dy],
  ] as const;
  addLine(canvas, ends[0], ends[1], 0.8 * cell.unit, 1);
}
