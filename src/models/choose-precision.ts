import type { Engine, Session, SessionSpec } from '../engines/index.js';
import { DomainError } from '../errors.js';
import type { InputSpec } from '../frames/index.js';
import { createGoldenFrame, halfTolerance, largestDifference } from './golden.js';

/** A version in the runtime, and what it computes in. */
export interface ChosenSession {
  readonly session: Session;
  /** Why it is in full precision although half was wanted; empty if there is nothing to say. */
  readonly precisionNote: string;
}

export interface CheckedModel {
  readonly spec: SessionSpec;
  readonly inputSpec: InputSpec;
  /** uint8 `[C, H, W]`. */
  readonly golden: Uint8Array;
}

/**
 * Loads a model in the precision that the engine wants, if the model bears it: in half
 * precision the golden frame, noise, white and black come out as in full precision, within
 * `halfTolerance` and with distances within `distanceTolerance` of them. Else it is loaded
 * in full precision, with the reason.
 *
 * Throws as `engine.load`; a refusal of half precision is never thrown.
 */
export async function loadInPrecision(
  model: CheckedModel,
  { engine }: { readonly engine: Engine },
): Promise<ChosenSession> {
  const full = await engine.load(model.spec);
  if (engine.precision !== 'half') return { session: full, precisionNote: '' };
  let half: Session | null = null;
  try {
    half = await engine.load({ ...model.spec, precision: 'half' });
    const fault = await findHalfFault(model, full, half);
    if (fault !== null) throw new DomainError('model_failed', fault);
    await full.close();
    return { session: half, precisionNote: '' };
  } catch (thrown) {
    await half?.close().catch(() => {});
    const { code, message } = DomainError.from(thrown);
    if (code === 'model_failed') return { session: full, precisionNote: message };
    await full.close().catch(() => {});
    throw thrown;
  }
}

/** How far a distance may move in half precision, as a share of it; 2e-4 was seen. */
export const distanceTolerance = 0.01;

async function findHalfFault(
  { spec, inputSpec, golden }: CheckedModel,
  full: Session,
  half: Session,
): Promise<string | null> {
  if (half.device !== full.device) {
    return `in half precision it would run on ${half.device}, not on ${full.device}`;
  }
  const frames = {
    'golden frame': golden,
    // What leaves the range of half precision does so where pixels are large.
    'white frame': new Uint8Array(golden.length).fill(255),
    'black frame': new Uint8Array(golden.length),
    'frame of noise': createGoldenFrame(inputSpec),
  };
  for (const [what, frame] of Object.entries(frames)) {
    const expected = await full.run(new Uint8Array(frame), 1);
    const { probabilities, distances = [] } = await half.run(new Uint8Array(frame), 1);
    const { index, difference } = largestDifference(probabilities, expected.probabilities);
    if (!(difference <= halfTolerance)) {
      return `in half precision its ${what} gave ${probabilities[index]} for label ${index + 1} of ${spec.labelCount}, in full ${expected.probabilities[index]}; expected them within ${halfTolerance}`;
    }
    for (const [row, distance] of (expected.distances ?? []).entries()) {
      const away = Math.abs((distances[row] ?? Number.NaN) - distance);
      if (away <= distanceTolerance * Math.max(1, distance)) continue;
      return `in half precision the distance of its ${what} is ${distances[row]}, in full ${distance}; expected them within ${100 * distanceTolerance} %`;
    }
  }
  return null;
}
