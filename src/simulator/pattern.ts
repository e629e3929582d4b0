import type { Canvas } from './canvas.js';
import type { Cell } from './cell.js';
import type { Random } from './random.js';

/** Draws where the protein of one label lies in one cell. */
export type Pattern = (canvas: Canvas, cell: Cell, random: Random) => void;
