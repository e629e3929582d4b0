import { DomainError } from '../errors.js';
import type { Run, RunEvent, RunSpec } from '../training/index.js';

export interface Trainer {
  start(spec: RunSpec, runId?: string): Promise<Run>;
  watch(runId: string, fromNumber: number, signal: AbortSignal): AsyncIterable<RunEvent>;
  stop(runId: string): Promise<Run>;
  get(runId: string): Promise<Run>;
  list(): Promise<readonly Run[]>;
  close(): Promise<void>;
}

const refuse = (): never => {
  throw new DomainError('unsupported', 'training is not part of this build yet');
};

export function createTrainer(_options: object, _collaborators: object): Trainer {
  return {
    start: async () => refuse(),
    watch: refuse,
    stop: async () => refuse(),
    get: async () => refuse(),
    list: async () => [],
    close: async () => {},
  };
}
