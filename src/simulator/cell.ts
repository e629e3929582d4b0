import type { Canvas } from './canvas.js';
import { createOutline, depthIn, meanRadius, radiusAt } from './outline.js';
import type { Random } from './random.js';

/** Interphase, dividing (condensed DNA, no nucleus), or one of two daughters still joined. */
export type Phase = 'interphase' | 'mitotic' | 'daughter';

/** Where a cell is to lie, in pixels of its frame. */
export interface CellOptions {
  readonly x: number;
  readonly y: number;
  /** Mean distance from the centre to the edge. */
  readonly radiusPx: number;
  readonly phase: Phase;
  /** Where a daughter's sister lies. */
  readonly sister: readonly [number, number] | null;
}

/** A circle, in pixels. */
export interface Round {
  readonly x: number;
  readonly y: number;
  readonly radiusPx: number;
}

/** Where one cell and its parts lie. */
export interface Cell extends CellOptions {
  /** Pixels per fiftieth of the cell's radius: the measure of everything drawn in it. */
  readonly unit: number;
  readonly nucleus: Round;
  /** Microtubule organizing centre: just outside the nucleus. */
  readonly mtoc: readonly [number, number];
  /** Direction in which the cell is stretched, or its spindle lies. */
  readonly axis: number;
  /** Rounds that overlap: one to three make a nucleolus. */
  readonly nucleoli: readonly Round[];
  /** Fixes what several stains show alike: its microtubules, reticulum and spindle. */
  readonly seed: number;
  /** How deep a point lies: 1 in the centre, 0 at the edge, negative outside. */
  depth(x: number, y: number): number;
  /** The same for the nucleus. */
  nuclearDepth(x: number, y: number): number;
  /** Both depths of the whole pixels around the cell, taken once. */
  readonly map: DepthMap;
}

/** Depths on the grid of pixels, `[height, width]` from (left, top). */
interface DepthMap {
  readonly left: number;
  readonly top: number;
  readonly sidePx: number;
  readonly depth: Float32Array;
  readonly nuclearDepth: Float32Array;
}

/** Grows a cell: its outline, nucleus, nucleoli and organizing centre, all by `random`. */
export function createCell(options: CellOptions, random: Random): Cell {
  const { x, y, radiusPx, phase } = options;
  const unit = radiusPx / 50;
  const isRound = phase === 'mitotic';
  const axis = random.between(0, Math.PI);
  const stretch = isRound ? 1.04 : random.between(1.05, 1.5);
  const edge = createOutline(
    isRound
      ? { x, y, radiusPx, axis, stretch, roughness: 0.01, corners: 0 }
      : { x, y, radiusPx, axis, stretch, roughness: 0.035, corners: random.whole(0, 4) },
    random,
  );
  const shift = random.between(0, 0.08) * radiusPx;
  const shiftAngle = random.between(0, 2 * Math.PI);
  const nucleusOutline = createOutline(
    {
      x: x + shift * Math.cos(shiftAngle),
      y: y + shift * Math.sin(shiftAngle),
      radiusPx: radiusPx * random.between(0.4, 0.45),
      axis: axis + random.between(-0.4, 0.4),
      stretch: random.between(1.1, 1.25),
      roughness: 0.02,
      corners: 0,
    },
    random,
  );
  const nucleus = {
    x: nucleusOutline.x,
    y: nucleusOutline.y,
    radiusPx: meanRadius(nucleusOutline),
  };
  const mtocAngle = random.between(0, 2 * Math.PI);
  const mtocRadius = radiusAt(nucleusOutline, mtocAngle) + random.between(2.5, 6) * unit;
  const depth = (px: number, py: number) => depthIn(edge, px, py);
  const nuclearDepth = (px: number, py: number) => (isRound ? -1 : depthIn(nucleusOutline, px, py));
  return {
    ...options,
    unit,
    nucleus,
    axis,
    mtoc: [
      nucleus.x + mtocRadius * Math.cos(mtocAngle),
      nucleus.y + mtocRadius * Math.sin(mtocAngle),
    ],
    nucleoli: placeNucleoli(nucleus, random),
    seed: random.whole(0, 0xffffff),
    depth,
    nuclearDepth,
    map: mapDepths(x, y, radiusPx, depth, nuclearDepth),
  };
}

function mapDepths(
  x: number,
  y: number,
  radiusPx: number,
  depth: Cell['depth'],
  nuclearDepth: Cell['nuclearDepth'],
): DepthMap {
  const reach = Math.ceil(radiusPx * 1.5);
  const left = Math.floor(x) - reach;
  const top = Math.floor(y) - reach;
  const sidePx = 2 * reach + 1;
  const map = {
    left,
    top,
    sidePx,
    depth: new Float32Array(sidePx * sidePx),
    nuclearDepth: new Float32Array(sidePx * sidePx),
  };
  for (let row = 0, at = 0; row < sidePx; row++) {
    for (let column = 0; column < sidePx; column++, at++) {
      const here = depth(left + column, top + row);
      map.depth[at] = here;
      map.nuclearDepth[at] = here > 0 ? nuclearDepth(left + column, top + row) : -1;
    }
  }
  return map;
}

/** A point inside the cell that `accepts`; null if thirty tries found none. */
export function findPoint(
  cell: Cell,
  random: Random,
  accepts: (depth: number, nuclearDepth: number) => boolean,
): readonly [number, number] | null {
  const reach = cell.radiusPx * 1.3;
  for (let attempt = 0; attempt < 30; attempt++) {
    const x = cell.x + random.between(-reach, reach);
    const y = cell.y + random.between(-reach, reach);
    if (accepts(cell.depth(x, y), cell.nuclearDepth(x, y))) return [x, y];
  }
  return null;
}

/** Adds `light(depth, nuclearDepth, x, y)` to every pixel in or near the cell. */
export function fillCell(
  canvas: Canvas,
  cell: Cell,
  light: (depth: number, nuclearDepth: number, x: number, y: number) => number,
): void {
  const { sizePx, light: collected } = canvas;
  const { map } = cell;
  const right = Math.min(sizePx, map.left + map.sidePx);
  const bottom = Math.min(sizePx, map.top + map.sidePx);
  for (let y = Math.max(0, map.top); y < bottom; y++) {
    const line = (y - map.top) * map.sidePx - map.left;
    for (let x = Math.max(0, map.left); x < right; x++) {
      const depth = map.depth[line + x]!;
      if (depth < -0.12) continue;
      const at = y * sizePx + x;
      collected[at] = collected[at]! + light(depth, map.nuclearDepth[line + x]!, x, y);
    }
  }
}

function placeNucleoli(nucleus: Round, random: Random): readonly Round[] {
  const count = random.whole(1, 4);
  const turn = random.between(0, 2 * Math.PI);
  return Array.from({ length: count }, (_, i) => {
    const angle = turn + (i * 2 * Math.PI) / count + random.between(-0.4, 0.4);
    const distance = nucleus.radiusPx * random.between(0.3, 0.52);
    const radiusPx = nucleus.radiusPx * random.between(0.15, 0.25);
    const x = nucleus.x + distance * Math.cos(angle);
    const y = nucleus.y + distance * Math.sin(angle);
    const rounds: Round[] = [{ x, y, radiusPx }];
    for (let more = random.whole(0, 2); more > 0; more--) {
      const side = random.between(0, 2 * Math.PI);
      const off = radiusPx * random.between(0.5, 0.9);
      rounds.push({
        x: x + off * Math.cos(side),
        y: y + off * Math.sin(side),
        radiusPx: radiusPx * random.between(0.5, 0.9),
      });
    }
    return rounds;
  }).flat();
}
