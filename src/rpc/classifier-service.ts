import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { DomainError } from '../errors.js';
import type {
  ClassifyFrameRequest,
  ClassifyFrameResponse,
} from '../gen/cytostream/v1/classifier.js';
import { adaptDuplex, adaptUnary, type UnaryHandler } from './adapter.js';
import type { Calls } from './calls.js';
import { admitted } from './classify/admitted.js';
import { classifyOne, toAnswer } from './classify/classify-one.js';
import {
  type ClassifyStreamCollaborators,
  type ClassifyStreamOptions,
  createClassifyStream,
} from './classify/classify-stream.js';
import { parseFrame } from './wire/frame.js';
import { parsePriority, toWirePrediction, toWireStreamModel } from './wire/prediction.js';

export type ClassifierServiceCollaborators = ClassifyStreamCollaborators & {
  readonly calls: Calls;
};

/** `cytostream.v1.ClassifierService` for grpc-js. */
export function createClassifierService(
  options: ClassifyStreamOptions,
  { calls, ...collaborators }: ClassifierServiceCollaborators,
): UntypedServiceImplementation {
  const stream = createClassifyStream(options, collaborators);
  const one = admitted(createClassifyFrame(collaborators), collaborators);
  return {
    classify: adaptDuplex(calls, 'Classify', stream),
    classifyFrame: adaptUnary(calls, 'ClassifyFrame', one),
  };
}

/** `ClassifyFrame`: what a stream says in-band is thrown here. */
function createClassifyFrame(
  collaborators: Omit<ClassifierServiceCollaborators, 'calls'>,
): UnaryHandler<ClassifyFrameRequest, ClassifyFrameResponse> {
  const { metrics } = collaborators;
  return async (request, context) => {
    const faults: string[] = [];
    const priority = parsePriority(request.priority, faults);
    const parsed =
      request.frame === undefined
        ? { faults: ['frame: expected one, got none'] }
        : parseFrame(request.frame);
    if ('faults' in parsed || faults.length > 0) {
      metrics.frameRefused('invalid');
      if ('faults' in parsed) faults.push(...parsed.faults);
      throw new DomainError('frame_invalid', faults.join('; '));
    }
    const arrival = {
      frameId: parsed.value.frame.id,
      receivedAtMs: context.receivedAtMs,
      checkedAtMs: performance.now(),
    };
    const way = {
      model: request.model,
      defaultDeadlineMs: 0,
      priority,
      streamId: context.peer,
      whenFull: 'refuse' as const,
      signal: context.signal,
      deadlineAtMs: context.deadlineAtMs,
    };
    const ended = await classifyOne(parsed.value, arrival, way, collaborators);
    const answer = toAnswer(arrival, ended);
    const { model } = ended;
    if (model !== null) context.note({ model: `${model.name}@${model.version}` });
    if (context.signal.aborted) metrics.frameCancelled();
    else if (model === null) metrics.frameRefused(answer.outcome);
    else metrics.frameAnswered(model, answer);
    if (ended.outcome !== 'ok') throw ended.error;
    return {
      prediction: toWirePrediction(answer),
      // An "ok" always has a model.
      model: model === null ? undefined : toWireStreamModel({ ...model, maxInFlight: 0 }),
    };
  };
}
