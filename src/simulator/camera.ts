import type { Canvas } from './canvas.js';
import type { Random } from './random.js';

/** How light becomes pixels. */
export interface CameraOptions {
  /** Blur of the optics, in pixels. */
  readonly sigmaPx: number;
  /** Light where there is nothing, 0..1. */
  readonly background: number;
  /** How strong the stain came out and how long it was exposed: 1 is as drawn. */
  readonly gain: number;
  /** Photons of the brightest pixel: fewer give more shot noise. */
  readonly photons: number;
}

/** Takes one plane: blurs the light, adds background and shot noise, rounds to 8 bits. Spends the canvas. */
export function expose(canvas: Canvas, options: CameraOptions, random: Random): Uint8Array {
  const { sizePx, light } = canvas;
  blur(light, sizePx, options.sigmaPx);
  const pixels = new Uint8Array(light.length);
  const { background, photons, gain } = options;
  for (let i = 0; i < pixels.length; i++) {
    const signal = gain * light[i]! + background;
    // Shot noise grows with the root of the light; 1.2 levels of read-out noise lie beneath.
    const noise = random.normal() * (Math.sqrt(signal / photons) + 0.0047);
    const level = (signal + noise) * 235 + 0.5;
    pixels[i] = level >= 255 ? 255 : level > 0 ? level : 0;
  }
  return pixels;
}

/** A Gaussian over five pixels, rows then columns, in place; edges repeat. */
function blur(light: Float32Array, sizePx: number, sigmaPx: number): void {
  const near = Math.exp(-0.5 / sigmaPx ** 2);
  const far = Math.exp(-2 / sigmaPx ** 2);
  const sum = 1 + 2 * near + 2 * far;
  const weights = [1 / sum, near / sum, far / sum] as const;
  for (let i = 0; i < sizePx; i++) {
    blurLine(light, i * sizePx, 1, sizePx, weights);
  }
  for (let i = 0; i < sizePx; i++) {
    blurLine(light, i, sizePx, sizePx, weights);
  }
}

function blurLine(
  light: Float32Array,
  start: number,
  step: number,
  count: number,
  [centre, near, far]: readonly [number, number, number],
): void {
  let before2 = light[start]!;
  let before1 = before2;
  const last = start + (count - 1) * step;
  for (let at = start; at <= last; at += step) {
    const here = light[at]!;
    const after1 = light[Math.min(at + step, last)]!;
    const after2 = light[Math.min(at + 2 * step, last)]!;
    light[at] = centre * here + near * (before1 + after1) + far * (before2 + after2);
    before2 = before1;
    before1 = here;
  }
}
