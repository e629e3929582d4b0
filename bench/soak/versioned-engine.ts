import { createFakeEngine, type Engine, fakeProbabilities } from '../../src/engines/index.js';

/** What a version of the fake model answers for these pixels. */
export function versionedProbabilities(
  pixels: Uint8Array,
  labelCount: number,
  version: number,
): Float32Array {
  return turnedBy(fakeProbabilities(pixels, labelCount), version);
}

/** The model.onnx of a version for `createVersionedEngine`. */
export function versionedModel(version: number): Uint8Array {
  return Uint8Array.of(version);
}

/** An engine that can be made to stop for a while. */
export interface VersionedEngine extends Engine {
  /** Every run that begins within the next `forMs` ends only then. */
  stall(forMs: number): void;
}

/**
 * The fake engine, whose answers also depend on the version: so an answer tells which
 * frame it belongs to and which version gave it, and neither can be mistaken.
 */
export function createVersionedEngine({ runMs }: { readonly runMs: number }): VersionedEngine {
  let stalledUntilMs = 0;
  const engine = createFakeEngine({
    runMs: () => Math.max(runMs, stalledUntilMs - performance.now()),
  });
  return {
    ...engine,
    stall(forMs) {
      stalledUntilMs = performance.now() + forMs;
    },
    async load(spec) {
      const session = await engine.load(spec);
      const version = spec.model[0] ?? 0;
      return {
        ...session,
        async run(input, batchSize) {
          const ran = await session.run(input, batchSize);
          for (let row = 0; row < batchSize; row += 1) {
            const at = row * spec.labelCount;
            const probabilities = ran.probabilities.subarray(at, at + spec.labelCount);
            probabilities.set(turnedBy(probabilities, version));
          }
          return ran;
        },
      };
    },
  };
}

function turnedBy(row: Float32Array, places: number): Float32Array {
  const by = places % row.length;
  return Float32Array.of(...row.subarray(by), ...row.subarray(0, by));
}
