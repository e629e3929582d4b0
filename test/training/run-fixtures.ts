import { hpaChannels } from '../../src/frames/index.js';
import type { RunEventBody, RunSpec } from '../../src/training/index.js';
import { parseRunSpec } from '../../src/training/run-spec.js';

export function newSpec(given: Partial<RunSpec> = {}): RunSpec {
  const parsed = parseRunSpec({ dataPath: '/cells', model: 'cells', ...given });
  if ('faults' in parsed) throw new Error(parsed.faults.join('; '));
  return parsed.value;
}

export const what = {
  spec: newSpec(),
  inputSpec: { channels: hpaChannels, widthPx: 48, heightPx: 48, resize: 'bilinear' },
  labels: ['a', 'b'],
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
