import { type Cell, createCell, type Phase } from './cell.js';
import { cytokineticBridgeIndex, mitoticSpindleIndex } from './patterns/index.js';
import type { Random } from './random.js';

/** Frames up to this edge show one cell (or one pair of daughters), larger ones several. */
const largestSingle = 192;
/** Room of one cell in a field of several. */
const cellPitchPx = 128;

/** Places the cells of a frame: one that fills it, or a loose grid of them. */
export function layOut(labels: readonly number[], sizePx: number, random: Random): Cell[] {
  if (sizePx <= largestSingle) return placeCells(sizePx / 2, sizePx / 2, sizePx, labels, random);
  const perSide = Math.max(2, Math.round(sizePx / cellPitchPx));
  const pitch = sizePx / perSide;
  const cells: Cell[] = [];
  for (let row = 0; row < perSide; row++) {
    for (let column = 0; column < perSide; column++) {
      // Some places stay empty, but never all.
      if (random.unit() < 0.15 && cells.length > 0) continue;
      const x = (column + 0.5 + random.between(-0.16, 0.16)) * pitch;
      const y = (row + 0.5 + random.between(-0.16, 0.16)) * pitch;
      cells.push(...placeCells(x, y, pitch, labels, random));
    }
  }
  return cells;
}

function placeCells(
  x: number,
  y: number,
  roomPx: number,
  labels: readonly number[],
  random: Random,
): Cell[] {
  const isDividing = labels.includes(mitoticSpindleIndex);
  const jitter = () => random.between(-0.02, 0.02) * roomPx;
  if (!labels.includes(cytokineticBridgeIndex)) {
    const phase: Phase = isDividing ? 'mitotic' : 'interphase';
    const radiusPx = roomPx * (isDividing ? 0.36 : random.between(0.37, 0.41));
    return [
      createCell({ x: x + jitter(), y: y + jitter(), radiusPx, phase, sister: null }, random),
    ];
  }
  const angle = random.between(0, Math.PI);
  const half = roomPx * 0.25;
  const dx = half * Math.cos(angle);
  const dy = half * Math.sin(angle);
  const one = [x - dx + jitter(), y - dy + jitter()] as const;
  const other = [x + dx + jitter(), y + dy + jitter()] as const;
  const radiusPx = roomPx * 0.215;
  // A frame that asks for a spindle as well shows it in one of the two.
  const phase: Phase = isDividing ? 'mitotic' : 'daughter';
  return [
    createCell({ x: one[0], y: one[1], radiusPx, phase, sister: other }, random),
    createCell({ x: other[0], y: other[1], radiusPx, phase: 'daughter', sister: one }, random),
  ];
}
