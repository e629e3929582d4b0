import type { Session } from '../engines/index.js';
import { DomainError } from '../errors.js';
import type { InputSpec } from '../frames/index.js';
import { sayLogits } from '../graph/index.js';
import type { LabelSet } from '../label-set.js';
import { createGoldenFrame, goldenToleranceIn, largestDifference } from './golden.js';

/**
 * Runs a model made elsewhere on its golden frame and on the ends of what it may see, and
 * returns what it gives for the golden one.
 *
 *  1. The golden frame, a white and a black one and two of noise give probabilities.
 *  2. Two frames in one batch give what each gives alone.
 *
 * Throws `model_failed` that says which frame and label, and what `session.run` throws.
 */
export async function checkAnswers(
  session: Session,
  inputSpec: InputSpec,
  labels: LabelSet,
): Promise<{ readonly frame: Uint8Array; readonly output: Float32Array }> {
  const frame = createGoldenFrame(inputSpec);
  const frames = {
    'golden frame': frame,
    'white frame': new Uint8Array(frame.length).fill(255),
    'black frame': new Uint8Array(frame.length),
    // Its noise spread over all levels; 73 is odd, so that none is left out.
    'frame of noise': frame.map((level) => level * 73),
    'frame of dark noise': frame.map((level) => level >> 4),
  };
  const answers: Float32Array[] = [];
  for (const [what, pixels] of Object.entries(frames)) {
    const { probabilities } = await session.run(pixels.slice(), 1);
    const wrong = probabilities.findIndex((value) => !(value >= 0 && value <= 1));
    if (wrong >= 0) {
      const got = `${probabilities[wrong]} for ${labels[wrong]} of a ${what}`;
      const why = Number.isFinite(probabilities[wrong])
        ? `, which looks like logits: ${sayLogits}`
        : '';
      throw new DomainError('model_failed', `expected probabilities of 0 to 1, got ${got}${why}`);
    }
    answers.push(probabilities);
  }
  const [output = new Float32Array(), white = new Float32Array()] = answers;
  const pair = new Uint8Array(2 * frame.length).fill(255);
  pair.set(frame);
  const { probabilities: both } = await session.run(pair, 2);
  const alone = [...output, ...white];
  const { index, difference } = largestDifference(both, alone);
  if (!(difference <= goldenToleranceIn(session.precision))) {
    const got = `${both[index]} for ${labels[index % labels.length]}, alone ${alone[index]}`;
    throw new DomainError(
      'model_failed',
      `expected a frame to be answered in a batch of two as alone, got ${got}`,
    );
  }
  return { frame, output };
}
