/** Light collected by one channel, `[H, W]` float32; about 1 is the brightest stain. */
export interface Canvas {
  readonly sizePx: number;
  readonly light: Float32Array;
}

export function createCanvas(sizePx: number): Canvas {
  return { sizePx, light: new Float32Array(sizePx * sizePx) };
}

/** Adds a round spot with a Gaussian profile; what lies outside the canvas is lost. */
export function addSpot(
  canvas: Canvas,
  x: number,
  y: number,
  sigmaPx: number,
  brightness: number,
): void {
  const { sizePx, light } = canvas;
  const reach = Math.ceil(2.6 * sigmaPx);
  const left = Math.max(0, Math.floor(x) - reach);
  const right = Math.min(sizePx - 1, Math.floor(x) + reach + 1);
  const top = Math.max(0, Math.floor(y) - reach);
  const bottom = Math.min(sizePx - 1, Math.floor(y) + reach + 1);
  const sharpness = -0.5 / (sigmaPx * sigmaPx);
  for (let row = top; row <= bottom; row++) {
    const dy = row - y;
    for (let column = left; column <= right; column++) {
      const dx = column - x;
      const at = row * sizePx + column;
      light[at] = light[at]! + brightness * Math.exp((dx * dx + dy * dy) * sharpness);
    }
  }
}

/** Adds a ring, bright at `radiusPx` from its centre and dark inside. */
export function addRing(
  canvas: Canvas,
  x: number,
  y: number,
  radiusPx: number,
  sigmaPx: number,
  brightness: number,
): void {
  const { sizePx, light } = canvas;
  const reach = Math.ceil(radiusPx + 2.6 * sigmaPx);
  const left = Math.max(0, Math.floor(x) - reach);
  const right = Math.min(sizePx - 1, Math.floor(x) + reach + 1);
  const top = Math.max(0, Math.floor(y) - reach);
  const bottom = Math.min(sizePx - 1, Math.floor(y) + reach + 1);
  const sharpness = -0.5 / (sigmaPx * sigmaPx);
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      const off = Math.hypot(column - x, row - y) - radiusPx;
      const at = row * sizePx + column;
      light[at] = light[at]! + brightness * Math.exp(off * off * sharpness);
    }
  }
}

/** Adds a round of even brightness whose edge is about a pixel wide. */
export function addDisc(
  canvas: Canvas,
  x: number,
  y: number,
  radiusPx: number,
  brightness: number,
): void {
  const { sizePx, light } = canvas;
  const reach = Math.ceil(radiusPx + 1);
  const bottom = Math.min(sizePx - 1, Math.floor(y) + reach + 1);
  const right = Math.min(sizePx - 1, Math.floor(x) + reach + 1);
  for (let row = Math.max(0, Math.floor(y) - reach); row <= bottom; row++) {
    for (let column = Math.max(0, Math.floor(x) - reach); column <= right; column++) {
      const inside = radiusPx - Math.hypot(column - x, row - y);
      if (inside <= -0.5) continue;
      const at = row * sizePx + column;
      light[at] = light[at]! + brightness * Math.min(1, inside + 0.5);
    }
  }
}

/** Adds a straight line of even brightness from one point to another. */
export function addLine(
  canvas: Canvas,
  from: readonly [number, number],
  to: readonly [number, number],
  sigmaPx: number,
  brightness: number,
): void {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  const steps = Math.max(1, Math.round(length));
  // Spots one pixel apart overlap; together they are as bright as asked.
  const each = brightness / Math.max(1, sigmaPx * Math.sqrt(2 * Math.PI));
  for (let step = 0; step <= steps; step++) {
    const share = step / steps;
    const x = from[0] + (to[0] - from[0]) * share;
    const y = from[1] + (to[1] - from[1]) * share;
    addSpot(canvas, x, y, sigmaPx, each);
  }
}
