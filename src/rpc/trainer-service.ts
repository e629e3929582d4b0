import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { DomainError } from '../errors.js';
import type {
  EvaluateRequest,
  EvaluateResponse,
  GetRunRequest,
  GetRunResponse,
  ListRunsRequest,
  ListRunsResponse,
  ResumeRunRequest,
  ResumeRunResponse,
  StopRunRequest,
  StopRunResponse,
  TrainRequest,
  TrainResponse,
  WatchRunRequest,
  WatchRunResponse,
} from '../gen/cytostream/v1/trainer.js';
import type { RunEvent } from '../training/index.js';
import { adaptServerStream, adaptUnary } from './adapter.js';
import type { CallContext, Calls } from './calls.js';
import type { Compare, Evaluate, RunAdmin } from './collaborators.js';
import { streamProgress } from './progress.js';
import { toWireComparison } from './wire/comparison.js';
import { evaluatedParts } from './wire/enums.js';
import { toWireReport } from './wire/report.js';
import { fromWireRunSpec, toWireRun, toWireRunEvent } from './wire/run.js';

export interface TrainerServiceCollaborators {
  readonly calls: Calls;
  readonly runs: RunAdmin;
  readonly evaluate: Evaluate;
  readonly compare: Compare;
}

/** `cytostream.v1.TrainerService` for grpc-js. */
export function createTrainerService({
  calls,
  runs,
  evaluate,
  compare,
}: TrainerServiceCollaborators): UntypedServiceImplementation {
  async function* train({ spec, runId }: TrainRequest, context: CallContext) {
    const given = spec === undefined ? {} : fromWireRunSpec(spec);
    const run = await runs.start(given, runId === '' ? undefined : runId);
    context.note({ run: run.id });
    for await (const event of follow(run.id, 1, context)) yield { event: toWireRunEvent(event) };
  }

  async function* resumeRun({ runId }: ResumeRunRequest, context: CallContext) {
    const { fromNumber } = await runs.resume(runId);
    context.note({ run: runId });
    for await (const event of follow(runId, fromNumber, context)) {
      yield { event: toWireRunEvent(event) };
    }
  }

  async function* watchRun({ runId, fromNumber }: WatchRunRequest, context: CallContext) {
    const first = Math.max(1, fromNumber);
    for await (const event of follow(runId, first, context)) yield { event: toWireRunEvent(event) };
  }

  /** The run goes on when the caller leaves or the server drains: only the view ends. */
  async function* follow(
    runId: string,
    fromNumber: number,
    { signal, draining }: CallContext,
  ): AsyncGenerator<RunEvent> {
    const over = AbortSignal.any([signal, draining]);
    try {
      for await (const event of runs.watch(runId, fromNumber, over)) yield event;
    } catch (thrown) {
      if (!over.aborted) throw thrown;
    }
    if (draining.aborted) {
      throw new DomainError('draining', 'the server is shutting down: watch the run again later');
    }
  }

  return {
    train: adaptServerStream<TrainRequest, TrainResponse>(calls, 'Train', train),
    watchRun: adaptServerStream<WatchRunRequest, WatchRunResponse>(calls, 'WatchRun', watchRun),
    resumeRun: adaptServerStream<ResumeRunRequest, ResumeRunResponse>(
      calls,
      'ResumeRun',
      resumeRun,
    ),
    stopRun: adaptUnary<StopRunRequest, StopRunResponse>(calls, 'StopRun', async ({ runId }) => ({
      run: toWireRun(await runs.stop(runId)),
    })),
    getRun: adaptUnary<GetRunRequest, GetRunResponse>(calls, 'GetRun', async ({ runId }) => ({
      run: toWireRun(await runs.get(runId)),
    })),
    listRuns: adaptUnary<ListRunsRequest, ListRunsResponse>(calls, 'ListRuns', async () => ({
      runs: (await runs.list()).map(toWireRun),
    })),
    evaluate: adaptServerStream<EvaluateRequest, EvaluateResponse>(
      calls,
      'Evaluate',
      async function* ({ dataPath, model, doubts, compareWith, part: number }, { signal }) {
        if (compareWith !== '' && doubts > 0) {
          throw new DomainError('option_invalid', 'doubts: expected 0 beside compare_with');
        }
        const part = evaluatedParts.parse(number);
        if (part === null) {
          throw new DomainError(
            'option_invalid',
            `part: expected one of ${evaluatedParts.words.join(', ')}, got ${number}`,
          );
        }
        const replies = streamProgress<EvaluateResponse>(async (onProgress) => {
          const way = { onProgress, signal };
          if (compareWith === '') {
            const report = await evaluate({ dataPath, model, doubtCount: doubts, part }, way);
            return { message: { $case: 'report', value: toWireReport(report) } };
          }
          const compared = await compare({ dataPath, model, compareWith, part }, way);
          return { message: { $case: 'comparison', value: toWireComparison(compared) } };
        });
        for await (const reply of replies) {
          yield reply.kind === 'progress'
            ? { message: { $case: 'progress' as const, value: reply.progress } }
            : reply.result;
        }
      },
    ),
  };
}
