import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';
import { ClassifierServiceService } from '../gen/cytostream/v1/classifier.js';
import { ModelServiceService } from '../gen/cytostream/v1/model.js';
import { TrainerServiceService } from '../gen/cytostream/v1/trainer.js';
import type { Log } from '../log.js';
import { type Metrics, portError } from '../telemetry/index.js';
import { addAuxiliaryServices, type Serving } from './auxiliary.js';
import { createCalls } from './calls.js';
import { createClassifierService } from './classifier-service.js';
import { createAdmission } from './classify/admission.js';
import type {
  ClassifierLike,
  Compare,
  Evaluate,
  HandleLike,
  LenderLike,
  ModelAdmin,
  PixelClassifierLike,
  RunAdmin,
} from './collaborators.js';
import { createConnections } from './connections.js';
import { createForwarding } from './forward.js';
import { holdStreams } from './hold-streams.js';
import {
  createInferenceService,
  inferenceServiceDefinition,
} from './inference/inference-service.js';
import { createLoopBudget } from './loop-budget.js';
import { createModelService } from './model-service.js';
import { limitReadAhead } from './read-ahead.js';
import { stampReceipt } from './received.js';
import { createTrainerService } from './trainer-service.js';
import { type WindowOptions, withWindows } from './windows.js';

/** See `configFields` for what each bounds. */
export interface RpcPortOptions {
  /**
   * Whether only processes of this server call, which bound what they let in: their rows are
   * never shed nor refused for want of room. @default false
   */
  readonly isInner?: boolean;
  readonly host: string;
  readonly port: number;
  /** PEM; null: plain text. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | null;
  /** -1: any. */
  readonly maxMessageBytes: number;
  readonly windowBytes: number;
  readonly maxConcurrentStreams: number;
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  readonly maxCalls: number;
  readonly maxInFlight: number;
  readonly maxStreamFrames: number;
  readonly maxStreamBytes: number;
  readonly maxQueuedFrames: number;
  readonly maxReceivedBytes: number;
}

export type RpcPortCollaborators<Handle extends HandleLike> = PortCollaborators<Handle> &
  (
    | { readonly runs: RunAdmin; readonly evaluate: Evaluate; readonly compare: Compare }
    /** "127.0.0.1:PORT" of the process that answers ModelService and TrainerService. */
    | { readonly forwardTo: string }
  );

interface PortCollaborators<Handle extends HandleLike> {
  readonly lender: LenderLike<Handle>;
  readonly classifier: ClassifierLike<Handle>;
  /** For callers of the Open Inference Protocol, who send prepared pixels. */
  readonly pixelClassifier: PixelClassifierLike<Handle>;
  readonly models: ModelAdmin;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** The gRPC port. */
export interface RpcPort {
  readonly port: number;
  /** What health checks are told; NOT_SERVING until it is called, and from a drain on. */
  setServing(serving: Serving): void;
  readonly isDraining: boolean;
  /** Calls that are open. */
  readonly openCalls: number;
  /**
   * 1. health says NOT_SERVING  2. new calls are refused with `draining`  3. streams end
   * after their answers, other calls when they are done  4. when a fifth of `graceMs` is left,
   * a second at most, what is open is cut: frames without an answer are answered `failed`,
   * their streams and all other calls end with `draining`  5. connections are closed, also those whose other
   * end has vanished. Idempotent; called again with 0 it cuts at once. Takes `graceMs` at
   * most, or the tenth of a second that cutting takes.
   */
  drain(graceMs: number): Promise<void>;
}

/**
 * Opens the port with the three services of the contract, the Open Inference Protocol,
 * health and reflection.
 *
 * Throws `option_invalid` naming the port when it is in use or may not be taken.
 */
export async function openRpcPort<Handle extends HandleLike>(
  options: RpcPortOptions,
  collaborators: RpcPortCollaborators<Handle>,
): Promise<RpcPort> {
  const { models, metrics, log } = collaborators;
  const server = new Server({
    'grpc.max_receive_message_length': options.maxMessageBytes,
    'grpc.max_send_message_length': options.maxMessageBytes,
    'grpc.max_concurrent_streams': options.maxConcurrentStreams,
    'grpc.keepalive_time_ms': options.keepaliveMs,
    'grpc.keepalive_timeout_ms': options.keepaliveTimeoutMs,
    interceptors: [limitReadAhead],
  });
  const budget = createLoopBudget({ turnMs });
  const calls = createCalls(options, { budget, log, metrics });
  const admission = createAdmission({
    maxFrames: options.maxQueuedFrames,
    maxBytes: options.maxReceivedBytes,
  });
  metrics.readReceivedBytesFrom(() => admission.bytes);
  server.addService(
    stampReceipt(ClassifierServiceService, { maxFields: maxFrameFields }),
    createClassifierService(options, {
      calls,
      // Every handle that the classifier gets is one that this lender lent.
      lender: collaborators.lender,
      classifier: collaborators.classifier as ClassifierLike,
      metrics,
      log,
      budget,
      admission,
    }),
  );
  let endForwarding = () => {};
  if ('forwardTo' in collaborators) {
    const forwarding = createForwarding(collaborators.forwardTo, calls);
    endForwarding = forwarding.close;
    server.addService(...forwarding.service(ModelServiceService));
    server.addService(...forwarding.service(TrainerServiceService));
  } else {
    const { runs, evaluate, compare } = collaborators;
    server.addService(stampReceipt(ModelServiceService), createModelService({ calls, models }));
    server.addService(
      stampReceipt(TrainerServiceService),
      createTrainerService({ calls, runs, evaluate, compare }),
    );
  }
  let isServing = false;
  server.addService(
    inferenceServiceDefinition,
    createInferenceService(
      { maxRows: options.maxStreamFrames, isInner: options.isInner ?? false },
      {
        calls,
        models,
        lender: collaborators.lender,
        classifier: collaborators.pixelClassifier as PixelClassifierLike, // as above
        metrics,
        admission,
        isServing: () => isServing,
      },
    ),
  );
  const auxiliary = addAuxiliaryServices(server);
  const connections = createConnections();
  const port = await bind(server, {
    ...options,
    onServer(http2Server) {
      http2Server.on('connection', connections.add);
      // A health check is worked off before whatever else has come.
      holdStreams(http2Server, (path, work) => {
        if (path?.startsWith('/grpc.health.v1.') !== true) return budget.run(work);
        work();
        return true;
      });
    },
  });

  const cut = (settleMs: number) => {
    if (calls.size > 0) log.warn({ calls: calls.size }, 'open calls are cut');
    // Streams tell what becomes of their frames, and every call how it ends.
    calls.cut();
    setTimeout(() => server.forceShutdown(), (settleMs * 3) / 4).unref();
    // That waits for the other end to close, too; one that has vanished never does.
    setTimeout(connections.destroy, (settleMs * 7) / 8).unref();
  };
  const drain = async (graceMs: number) => {
    auxiliary.setServing({ server: false, classifier: false });
    calls.drain();
    const settleMs = Math.max(leastSettleMs, Math.min(mostSettleMs, graceMs / 5));
    const grace = startGrace({ cutAfterMs: graceMs - settleMs, settleMs }, () => cut(settleMs));
    await Promise.race([calls.idle(), grace.over]);
    auxiliary.end();
    const shutDown = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    // gRPC waits for ever for a session that was destroyed, by garbage say, while it was closed.
    await Promise.race([shutDown, connections.none(), grace.over]);
    endForwarding();
    grace.end();
  };
  let drained: Promise<void> | null = null;
  return {
    port,
    setServing(serving) {
      if (drained !== null) return;
      isServing = serving.classifier;
      auxiliary.setServing(serving);
    },
    get isDraining() {
      return drained !== null;
    },
    get openCalls() {
      return calls.size;
    },
    drain(graceMs) {
      if (drained !== null && graceMs === 0) cut(leastSettleMs);
      drained ??= drain(graceMs);
      return drained;
    },
  };
}

/** See `createLoopBudget`: a fraction of the 100 ms in which health is answered. */
const turnMs = 5;

/** Fields of a message with a frame; an honest one has about 20. */
const maxFrameFields = 1000;

/**
 * Handlers that were cut get this long to give back what they hold, and most of it
 * to tell their callers before the connections are closed.
 */
const leastSettleMs = 100;
const mostSettleMs = 1000;

/** Calls `cut` in time; `over` resolves when what was cut has settled. */
function startGrace(
  { cutAfterMs, settleMs }: { readonly cutAfterMs: number; readonly settleMs: number },
  cut: () => void,
) {
  let timer: NodeJS.Timeout;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      cut();
      timer = setTimeout(resolve, settleMs);
    }, cutAfterMs);
  });
  return { over, end: () => clearTimeout(timer) };
}

async function bind(
  server: Server,
  options: RpcPortOptions & Pick<WindowOptions, 'onServer'>,
): Promise<number> {
  const { host, port, tls } = options;
  const credentials =
    tls === null
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [{ cert_chain: tls.cert, private_key: tls.key }]);
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  // grpc-js would print a line of its own for a port in use, beside the error that we throw.
  setLogVerbosity(logVerbosity.NONE);
  try {
    return await withWindows(
      options,
      () =>
        new Promise<number>((resolve, reject) => {
          server.bindAsync(address, credentials, (error, bound) => {
            if (error === null) resolve(bound);
            else reject(error);
          });
        }),
    );
  } catch (error) {
    server.forceShutdown();
    throw portError(port, 'gRPC', error);
  }
}
