import type { Canvas } from './canvas.js';
import type { Random } from './random.js';

/** Interphase, dividing (condensed DNA, no nucleus), or one of two daughters still joined. */
export type Phase = 'interphase' | 'mitotic' | 'daughter';

export interface CellOptions {
  readonly x: number;
  readonly y: number;
  /** Mean distance from the centre to the edge. */
  readonly radiusPx: number;
  readonly phase: Phase;
  /** Where a daughter's sister lies. */
  readonly sister: readonly [number, number] | null;
}

/** A closed curve around a point: its radius at 256 angles. */
interface Outline {
  readonly x: number;
  readonly y: number;
  readonly radii: Float32Array;
}

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

const angles = 256;

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
  const nucleusRadius = nucleusOutline.radii.reduce((sum, radius) => sum + radius, 0) / angles;
  const nucleus = { x: nucleusOutline.x, y: nucleusOutline.y, radiusPx: nucleusRadius };
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

interface OutlineOptions {
  readonly x: number;
  readonly y: number;
  readonly radiusPx: number;
  readonly axis: number;
  readonly stretch: number;
  readonly roughness: number;
  /** How many points it is drawn out to. */
  readonly corners: number;
}

/** How far an outline may reach, in its mean radii: more would leave a frame of one cell. */
const longestReach = 1.27;

/** An ellipse, roughened by a few waves around it and drawn out to corners. */
function createOutline(options: OutlineOptions, random: Random): Outline {
  const { x, y, radiusPx, axis, stretch, roughness } = options;
  const radii = new Float32Array(angles);
  const waves = [2, 3, 4, 5, 7].map((count) => ({
    count,
    height: random.normal() * roughness,
    start: random.between(0, 2 * Math.PI),
  }));
  const corners = Array.from({ length: options.corners }, () => ({
    at: random.between(0, 2 * Math.PI),
    height: random.between(0.1, 0.35),
  }));
  const long = radiusPx * Math.sqrt(stretch);
  const short = radiusPx / Math.sqrt(stretch);
  for (let i = 0; i < angles; i++) {
    const angle = (i / angles) * 2 * Math.PI;
    const c = Math.cos(angle - axis) / long;
    const s = Math.sin(angle - axis) / short;
    let factor = 1;
    for (const wave of waves) factor += wave.height * Math.cos(wave.count * angle + wave.start);
    for (const corner of corners) {
      factor += corner.height * Math.exp(14 * (Math.cos(angle - corner.at) - 1));
    }
    radii[i] = factor / Math.sqrt(c * c + s * s);
  }
  const reach = radii.reduce((most, radius) => Math.max(most, radius), 0);
  const shrink = Math.min(1, (longestReach * radiusPx) / reach);
  for (let i = 0; i < angles; i++) radii[i] = radii[i]! * shrink;
  return { x, y, radii };
}

function radiusAt(outline: Outline, angle: number): number {
  const turn = (angle / (2 * Math.PI) + 2) * angles;
  const index = Math.floor(turn);
  const share = turn - index;
  const here = outline.radii[index % angles]!;
  const next = outline.radii[(index + 1) % angles]!;
  return here * (1 - share) + next * share;
}

function depthIn(outline: Outline, x: number, y: number): number {
  const dx = x - outline.x;
  const dy = y - outline.y;
  const distance = Math.sqrt(dx * dx + dy * dy);
  return 1 - distance / radiusAt(outline, Math.atan2(dy, dx));
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
