import { isDeepStrictEqual } from 'node:util';
import { DomainError } from '../errors.js';
import { frozenParameters, readParameters } from '../graph/index.js';
import type { ModelStore } from '../models/index.js';
import { completeSpec } from './complete-spec.js';
import { createNetwork } from './networks/index.js';
import type { OpenRunSpec, RunSpec } from './run.js';
import { shapeOf, withoutHead } from './run-network.js';

/** The version that a run continues from. */
export interface Parent {
  /** Its `model.onnx`. */
  readonly model: Uint8Array;
  /** By which the weights of its last layer are divided; 1 where they are not. */
  readonly temperature: number;
  /** Whether the run has its labels, and so goes on with its last layer as well. */
  readonly givesHead: boolean;
  /** Its `frames.json`: what it has met may not count as new. null where it keeps no list. */
  readonly frames: Uint8Array | null;
}

/**
 * Completes a spec by the version that it names, and makes sure that the run can begin
 * with its weights: the same network and input, and layers to freeze that it has. A run
 * with other labels than the parent's takes over all but the last layer. The parent is
 * null where the spec names none.
 *
 * Throws `model_unknown`, `model_failed`, and `option_invalid` for what does not fit.
 */
export async function findParent(
  asked: OpenRunSpec,
  store: Pick<ModelStore, 'read' | 'readFile'>,
): Promise<{ readonly spec: RunSpec; readonly parent: Parent | null }> {
  const manifest = asked.parent === '' ? null : await store.read(asked.parent);
  if (manifest === null) {
    const spec = completeSpec(asked, null);
    frozenParameters(createNetwork(spec.network, shapeOf(spec)), spec.freeze);
    return { spec, parent: null };
  }
  const ref = `${manifest.name}@${manifest.version}`;
  const spec = { ...completeSpec(asked, { ...manifest, ref }), parent: ref };
  const network = createNetwork(spec.network, shapeOf(spec));
  const frozen = frozenParameters(network, spec.freeze);
  const givesHead = isDeepStrictEqual(spec.labels, manifest.labels);
  const model = await store.readFile(manifest, 'model.onnx');
  try {
    const given = readParameters(model, givesHead ? network : withoutHead(network));
    const drawn = [...frozen].find((name) => !given.has(name));
    if (drawn !== undefined) {
      throw new DomainError(
        'option_invalid',
        `freeze: expected layers that it gives, ${drawn} is drawn anew for other labels`,
      );
    }
  } catch (thrown) {
    const { code, message } = DomainError.from(thrown);
    throw new DomainError(code, `parent: ${ref}: ${message}`, { cause: thrown });
  }
  const keepsList = manifest.files['frames.json'] !== undefined;
  const frames = keepsList ? await store.readFile(manifest, 'frames.json') : null;
  const temperature = manifest.calibration?.temperature ?? 1;
  return { spec, parent: { model, temperature, givesHead, frames } };
}
