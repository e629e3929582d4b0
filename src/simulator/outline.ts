import type { Random } from './random.js';

/** A closed curve around a point: its radius at 256 angles. */
export interface Outline {
  readonly x: number;
  readonly y: number;
  readonly radii: Float32Array;
}

const angles = 256;

/** What an outline is made of; lengths in pixels, angles in radians. */
export interface OutlineOptions {
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
export function createOutline(options: OutlineOptions, random: Random): Outline {
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

/** From the centre to the edge in this direction, in pixels. */
export function radiusAt(outline: Outline, angle: number): number {
  const turn = (angle / (2 * Math.PI) + 2) * angles;
  const index = Math.floor(turn);
  const share = turn - index;
  const here = outline.radii[index % angles]!;
  const next = outline.radii[(index + 1) % angles]!;
  return here * (1 - share) + next * share;
}

/** How deep a point lies: 1 in the centre, 0 at the edge, negative outside. */
export function depthIn(outline: Outline, x: number, y: number): number {
  const dx = x - outline.x;
  const dy = y - outline.y;
  const distance = Math.sqrt(dx * dx + dy * dy);
  return 1 - distance / radiusAt(outline, Math.atan2(dy, dx));
}

/** The mean distance from the centre to the edge, in pixels. */
export function meanRadius({ radii }: Outline): number {
  return radii.reduce((sum, radius) => sum + radius, 0) / angles;
}
