import {
  completeSpec,
  type OpenRunSpec,
  type RunEventBody,
  type RunSpec,
} from '../../src/training/index.js';
import { parseRunSpec } from '../../src/training/run-spec.js';

export function newSpec(given: Partial<OpenRunSpec> = {}): RunSpec {
  const parsed = parseRunSpec({ dataPath: '/cells', model: 'cells', ...given });
  if ('faults' in parsed) throw new Error(parsed.faults.join('; '));
  return completeSpec(parsed.value, null);
}

export const what = {
  spec: newSpec({ inputSpec: { widthPx: 48, heightPx: 48 }, labels: ['a', 'b'] }),
} as const;

export const stepEvent = (step: number, loss = 0.5): RunEventBody => ({
  kind: 'step',
  epoch: 1,
  step,
  stepsInEpoch: 9,
  loss,
  framesPerSecond: 10,
});

export const endedEvent: RunEventBody = {
  kind: 'ended',
  state: 'finished',
  reason: 'finished 1 epoch',
};
