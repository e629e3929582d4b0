import type { Frame } from '../../src/frames/index.js';

/**
 * What a person would say of a protein's stain, in numbers: where it lies (in the nucleus,
 * along the other stains, near or far), how bright its parts are, how fine its structure is.
 * For square raw frames of four planes.
 */
export function measurePattern({ planes, widthPx: edge }: Frame): number[] {
  const [microtubules, protein, nucleus, reticulum] = planes.map(({ bytes }) => bytes) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const light = Float64Array.from(protein, (value) => Math.max(0, value - 6));
  const total = sum(light);
  const centre = centreOf(light, edge);
  // DNA stains weakly in the nucleoli, which are a part of the nucleus.
  const dna = Float64Array.from(nucleus, (value) => (value > 22 ? 1 : 0));
  const nuclear = centreOf(dna, edge);
  const radiusPx = Math.sqrt(sum(dna) / Math.PI);
  const sorted = Float64Array.from(light).sort();
  const shells = [0, 0, 0, 0, 0];
  light.forEach((value, at) => {
    const away = Math.hypot((at % edge) - nuclear.x, Math.floor(at / edge) - nuclear.y) / radiusPx;
    const shell = Math.min(4, Math.floor(away / 0.6));
    shells[shell] = shells[shell]! + value / total;
  });
  return [
    sum(light.map((value, at) => value * dna[at]!)) / total,
    ...[microtubules, nucleus, reticulum].map((stain) => correlation(protein, stain)),
    ...[0.5, 0.75, 0.9, 0.96, 0.99].map((share) =>
      Math.log1p(sorted[Math.floor(share * sorted.length)]!),
    ),
    ...shells,
    Math.hypot(centre.x - nuclear.x, centre.y - nuclear.y) / radiusPx,
    ...[1, 2, 4, 8].map((step) => roughness(light, edge, step)),
    Math.log(sum(dna)),
  ];
}

function sum(values: ArrayLike<number>): number {
  let all = 0;
  for (let i = 0; i < values.length; i++) all += values[i]!;
  return all;
}

function centreOf(weights: Float64Array, edge: number): { x: number; y: number } {
  const all = sum(weights);
  return {
    x: sum(weights.map((weight, at) => weight * (at % edge))) / all,
    y: sum(weights.map((weight, at) => weight * Math.floor(at / edge))) / all,
  };
}

function correlation(a: Uint8Array, b: Uint8Array): number {
  const [meanA, meanB] = [sum(a) / a.length, sum(b) / b.length];
  let [both, ofA, ofB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    both += (a[i]! - meanA) * (b[i]! - meanB);
    ofA += (a[i]! - meanA) ** 2;
    ofB += (b[i]! - meanB) ** 2;
  }
  return both / Math.sqrt(ofA * ofB);
}

/** How much pixels that far apart differ, beside how much all do. */
function roughness(light: Float64Array, edge: number, stepPx: number): number {
  let [differences, count] = [0, 0];
  for (let y = 0; y + stepPx < edge; y++) {
    for (let x = 0; x + stepPx < edge; x++) {
      const here = light[y * edge + x]!;
      differences += (here - light[y * edge + x + stepPx]!) ** 2;
      differences += (here - light[(y + stepPx) * edge + x]!) ** 2;
      count += 2;
    }
  }
  const mean = sum(light) / light.length;
  const variance = sum(light.map((value) => (value - mean) ** 2)) / light.length;
  return differences / count / variance;
}
