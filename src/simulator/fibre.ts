import { addSpot, type Canvas } from './canvas.js';
import type { Cell } from './cell.js';
import type { Random } from './random.js';

/** The way of a thread through a cell. */
export interface Course {
  readonly start: readonly [number, number];
  readonly heading: number;
  readonly lengthPx: number;
  /** From one point to the next. */
  readonly stepPx: number;
  /** Radians the heading changes by, about, at each step of one pixel. */
  readonly wobble: number;
  /** Whether it bends away from the nucleus instead of crossing it. */
  readonly avoidsNucleus: boolean;
}

/** How a thread is drawn through a cell. */
export interface Fibre extends Omit<Course, 'stepPx'> {
  readonly sigmaPx: number;
  readonly brightness: number;
}

/** Points of a thread, one step apart. */
export type Track = readonly (readonly [number, number])[];

/** Draws a thread that wanders through the cell as `traceFibre` says. */
export function addFibre(canvas: Canvas, cell: Cell, fibre: Fibre, random: Random): void {
  const track = traceFibre(cell, { ...fibre, stepPx: stepFor(fibre.sigmaPx) }, random);
  drawTrack(canvas, track, fibre.sigmaPx, fibre.brightness);
}

/** Draws the points of a track, `stepFor(sigmaPx)` apart, as one thread. */
export function drawTrack(canvas: Canvas, track: Track, sigmaPx: number, brightness: number): void {
  const each = (brightness * stepFor(sigmaPx)) / (sigmaPx * Math.sqrt(2 * Math.PI));
  for (const [x, y] of track) addSpot(canvas, x, y, sigmaPx, each);
}

/** How far apart spots may lie so that they make an even thread. */
export function stepFor(sigmaPx: number): number {
  return Math.max(1, sigmaPx * 0.9);
}

/** A way that wanders through the cell, follows the edge where it meets it, and ends there or at its length. */
export function traceFibre(cell: Cell, course: Course, random: Random): Track {
  let [x, y] = course.start;
  let heading = course.heading;
  let bend = 0;
  const step = course.stepPx;
  const track: [number, number][] = [];
  for (let done = 0; done < course.lengthPx; done += step) {
    track.push([x, y]);
    bend = 0.85 * bend + random.normal() * course.wobble * 0.5;
    heading += bend * step;
    const aheadX = x + 4 * Math.cos(heading);
    const aheadY = y + 4 * Math.sin(heading);
    const depth = cell.depth(aheadX, aheadY);
    // What meets the edge ends there, or now and then runs along it.
    if (depth < 0.04 && random.unit() < 0.25) break;
    if (depth < 0.08) heading += turnToward(heading, x, y, cell.x, cell.y) * 0.22 * step;
    if (course.avoidsNucleus && cell.nuclearDepth(aheadX, aheadY) > -0.06) {
      heading -= turnToward(heading, x, y, cell.nucleus.x, cell.nucleus.y) * 0.3 * step;
    }
    x += step * Math.cos(heading);
    y += step * Math.sin(heading);
    if (cell.depth(x, y) < 0.015) break;
  }
  return track;
}

/** +1 or -1: which way to turn so as to face a point. */
function turnToward(heading: number, x: number, y: number, toX: number, toY: number): number {
  const cross = Math.cos(heading) * (toY - y) - Math.sin(heading) * (toX - x);
  return cross >= 0 ? 1 : -1;
}
