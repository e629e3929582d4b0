import { addSpot, type Canvas } from './canvas.js';
import type { Cell } from './cell.js';
import type { Random } from './random.js';

/** How a thread is drawn through a cell. */
export interface Fibre {
  readonly start: readonly [number, number];
  readonly heading: number;
  readonly lengthPx: number;
  readonly sigmaPx: number;
  readonly brightness: number;
  /** Radians the heading changes by, about, at each step of one pixel. */
  readonly wobble: number;
  /** Whether it bends away from the nucleus instead of crossing it. */
  readonly avoidsNucleus: boolean;
}

/** Draws a thread that wanders through the cell, follows the edge where it meets it, and ends there or at its length. */
export function addFibre(canvas: Canvas, cell: Cell, fibre: Fibre, random: Random): void {
  let [x, y] = fibre.start;
  let heading = fibre.heading;
  let bend = 0;
  const step = Math.max(1, fibre.sigmaPx * 0.9);
  const each = (fibre.brightness * step) / (fibre.sigmaPx * Math.sqrt(2 * Math.PI));
  for (let done = 0; done < fibre.lengthPx; done += step) {
    addSpot(canvas, x, y, fibre.sigmaPx, each);
    bend = 0.85 * bend + random.normal() * fibre.wobble * 0.5;
    heading += bend * step;
    const aheadX = x + 4 * Math.cos(heading);
    const aheadY = y + 4 * Math.sin(heading);
    const depth = cell.depth(aheadX, aheadY);
    // What meets the edge ends there, or now and then runs along it.
    if (depth < 0.04 && random.unit() < 0.25) return;
    if (depth < 0.08) heading += turnToward(heading, x, y, cell.x, cell.y) * 0.22 * step;
    if (fibre.avoidsNucleus && cell.nuclearDepth(aheadX, aheadY) > -0.06) {
      heading -= turnToward(heading, x, y, cell.nucleus.x, cell.nucleus.y) * 0.3 * step;
    }
    x += step * Math.cos(heading);
    y += step * Math.sin(heading);
    if (cell.depth(x, y) < 0.015) return;
  }
}

/** +1 or -1: which way to turn so as to face a point. */
function turnToward(heading: number, x: number, y: number, toX: number, toY: number): number {
  const cross = Math.cos(heading) * (toY - y) - Math.sin(heading) * (toX - x);
  return cross >= 0 ? 1 : -1;
}
