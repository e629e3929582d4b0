import type { MessagePort } from 'node:worker_threads';
import type { GraphSpec, Precision, SessionSpec } from './engine.js';
import type { GraphTensor } from './graph-runner.js';
import { gateSlots, type WorkerReply, type WorkerRequest } from './worker-messages.js';

/** A fault whose sentence may be told to the caller. */
export class ModelFault extends Error {}

/** What a run gives; see `RunResult`. */
export interface WorkerAnswer {
  readonly probabilities: Float32Array<ArrayBuffer>;
  readonly distances?: Float32Array<ArrayBuffer> | undefined;
}

/** What a runtime does in its worker; one call at a time. */
export interface WorkerRuntime {
  /** Starts it; says what of that belongs into the log. Throws `ModelFault`. */
  hello(): Promise<string | null>;
  /** Says where the model runs, and what an operator should know of that. Throws `ModelFault`. */
  load(
    sessionId: number,
    spec: SessionSpec,
  ): Promise<{
    readonly device: string;
    readonly precision: Precision;
    readonly warning: string | null;
  }>;
  /** Gives arrays over buffers of their own. Throws `ModelFault`. */
  run(sessionId: number, input: Uint8Array, batchSize: number): Promise<WorkerAnswer>;
  /** Of a model or a graph. */
  unload(sessionId: number): Promise<void>;
  /** Where it runs graphs of any kind. */
  readonly graphs?: {
    /** Says what an operator should know of where it runs. Throws `ModelFault`. */
    load(sessionId: number, graph: GraphSpec): Promise<string | null>;
    /** Throws `ModelFault`. */
    run(
      sessionId: number,
      inputs: Readonly<Record<string, GraphTensor>>,
    ): Promise<Readonly<Record<string, GraphTensor>>>;
  };
}

/** Answers what a WorkerLink asks, one request after the other, until it is told to close. */
export function serveWorker(
  port: MessagePort,
  gate: Int32Array<SharedArrayBuffer>,
  runtime: WorkerRuntime,
): void {
  const sessions = new Set<number>();

  /** Runs unless the engine is ending, and lets nobody end the thread meanwhile. */
  const gated = async <T>(run: () => Promise<T>) => {
    Atomics.store(gate, gateSlots.running, 1);
    try {
      if (Atomics.load(gate, gateSlots.stopped) === 1) throw new Error('the engine is ending');
      const startedAtMs = performance.now();
      const answer = await run();
      return { answer, runMs: performance.now() - startedAtMs };
    } finally {
      Atomics.store(gate, gateSlots.running, 0);
      Atomics.notify(gate, gateSlots.running);
    }
  };
  const graphsOf = () => {
    if (runtime.graphs) return runtime.graphs;
    throw new Error('bug: a worker that runs models alone was given a graph');
  };

  const answer = async (request: WorkerRequest): Promise<WorkerReply> => {
    const { id } = request;
    switch (request.kind) {
      case 'hello': {
        const note = await runtime.hello();
        return { id, kind: 'done', ...(note !== null && { note }) };
      }
      case 'load': {
        const loaded = await runtime.load(request.sessionId, request.spec);
        sessions.add(request.sessionId);
        return { id, kind: 'loaded', ...loaded };
      }
      case 'run': {
        const { sessionId, input, batchSize } = request;
        const ran = await gated(() => runtime.run(sessionId, input, batchSize));
        return { id, kind: 'ran', ...ran.answer, input, runMs: ran.runMs };
      }
      case 'loadGraph': {
        const note = await graphsOf().load(request.sessionId, request.graph);
        sessions.add(request.sessionId);
        return { id, kind: 'done', ...(note !== null && { note }) };
      }
      case 'runGraph': {
        const { sessionId, inputs } = request;
        const ran = await gated(() => graphsOf().run(sessionId, inputs));
        return { id, kind: 'graphRan', outputs: ran.answer, runMs: ran.runMs };
      }
      case 'unload':
      case 'close':
        for (const sessionId of request.kind === 'unload' ? [request.sessionId] : sessions) {
          await runtime.unload(sessionId);
          sessions.delete(sessionId);
        }
        return { id, kind: 'done' };
    }
  };

  const serve = async (request: WorkerRequest): Promise<void> => {
    const reply = await answer(request).catch((thrown: unknown): WorkerReply => {
      const isFault = thrown instanceof ModelFault;
      const cause = isFault ? thrown.cause : undefined;
      return {
        id: request.id,
        kind: 'fault',
        code: isFault ? 'model_failed' : 'internal',
        fault: isFault ? thrown.message : 'internal error',
        detail: String(cause ?? thrown),
      };
    });
    if (reply.kind === 'ran') {
      const { input, probabilities, distances } = reply;
      port.postMessage(reply, [
        input.buffer as ArrayBuffer, // came by transfer, so it is not shared
        probabilities.buffer,
        ...(distances ? [distances.buffer] : []),
      ]);
    } else port.postMessage(reply);
    if (request.kind === 'close') port.close();
  };

  // One after the other: an answer never overtakes another.
  let last: Promise<void> = Promise.resolve();
  port.on('message', (request: WorkerRequest) => {
    last = last.then(() => serve(request));
  });
}
