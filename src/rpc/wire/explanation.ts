import type { Explanation } from '../../classify/index.js';
import type { Explanation as WireExplanation } from '../../gen/cytostream/v1/classifier.js';
import { toMicroseconds } from './microseconds.js';

export function toWireExplanation({ maps, embedding, runMs }: Explanation): WireExplanation {
  return {
    maps: maps.map(({ box, ...map }) => ({ ...map, ...box })),
    embedding: Array.from(embedding),
    runUs: toMicroseconds(runMs),
  };
}

export function fromWireExplanation({ maps, embedding, runUs }: WireExplanation): Explanation {
  return {
    maps: maps.map(({ left, top, right, bottom, ...map }) => ({
      ...map,
      box: { left, top, right, bottom },
    })),
    embedding: Float32Array.from(embedding),
    runMs: runUs / 1000,
  };
}
