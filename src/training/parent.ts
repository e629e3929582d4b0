import { isDeepStrictEqual } from 'node:util';
import { DomainError } from '../errors.js';
import type { InputSpec } from '../frames/index.js';
import { frozenParameters, readParameters } from '../graph/index.js';
import type { LabelSet } from '../label-set.js';
import type { ModelStore } from '../models/index.js';
import { createNetwork } from './networks/index.js';
import type { RunSpec } from './run.js';

/** The version that a run continues from. */
export interface Parent {
  /** "cells@3". */
  readonly ref: string;
  /** Its `model.onnx`. */
  readonly model: Uint8Array;
  /** By which the weights of its last layer are divided; 1 where they are not. */
  readonly temperature: number;
}

/**
 * Finds the version that a spec names, and makes sure that the run can begin with its
 * weights: the same network, input and labels, and layers to freeze that it has. null
 * where the spec names none.
 *
 * Throws `model_unknown`, `model_failed`, and `option_invalid` for what does not fit.
 */
export async function findParent(
  spec: RunSpec,
  { inputSpec, labels }: { readonly inputSpec: InputSpec; readonly labels: LabelSet },
  store: Pick<ModelStore, 'read' | 'readFile'>,
): Promise<Parent | null> {
  const { channels, heightPx, widthPx } = inputSpec;
  const shape = { channels: channels.length, heightPx, widthPx, labelCount: labels.length };
  const network = createNetwork(spec.network, shape);
  frozenParameters(network, spec.freeze);
  if (spec.parent === '') return null;
  const manifest = await store.read(spec.parent);
  const ref = `${manifest.name}@${manifest.version}`;
  const isSame = {
    labels: isDeepStrictEqual(labels, manifest.labels),
    input: isDeepStrictEqual(inputSpec, manifest.inputSpec),
  };
  for (const [what, fits] of Object.entries(isSame)) {
    if (fits) continue;
    throw new DomainError(
      'option_invalid',
      `parent: expected the ${what} that the run has, ${ref} has another`,
    );
  }
  const model = await store.readFile(manifest, 'model.onnx');
  try {
    readParameters(model, network);
  } catch (thrown) {
    const { code, message } = DomainError.from(thrown);
    throw new DomainError(code, `parent: ${ref}: ${message}`, { cause: thrown });
  }
  return { ref, model, temperature: manifest.calibration?.temperature ?? 1 };
}
