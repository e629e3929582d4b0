import type { Config } from '../../config.js';
import type { Log } from '../../log.js';
import type { Handle } from '../../models/index.js';
import {
  openRpcPort,
  type RpcPort,
  type RpcPortCollaborators,
  type Serving,
} from '../../rpc/index.js';
import type { Metrics } from '../../telemetry/index.js';
import { closingTimeMs } from '../grace.js';
import { startIoProcesses } from './io-processes.js';

/** A gRPC port that several processes share. */
export interface SharedPort extends RpcPort {
  /** The metrics of those processes. */
  snapshots(): Promise<readonly (readonly object[])[]>;
}

export interface SharedPortOptions {
  readonly count: number;
  readonly config: Config;
  /** What health is told until `setServing`. */
  readonly serving: Serving;
}

const most = 2 ** 31 - 1;
/**
 * Bounds are for clients, and hold where they come in: a batch is larger than any of their
 * messages, and has more rows than one of their streams may have waiting.
 */
const unbounded = {
  maxMessageBytes: -1,
  maxStreamFrames: most,
  maxConcurrentStreams: most,
  maxCalls: most,
};

/**
 * Opens the config's gRPC port in `count` processes, and in this one a port on the
 * loopback through which they run their batches, and hand on what is about models and runs.
 *
 * Calls of clients are counted and logged where they come in, not once more here.
 */
export async function openSharedPort(
  { count, config, serving }: SharedPortOptions,
  collaborators: RpcPortCollaborators<Handle>,
): Promise<SharedPort> {
  const inner = await openRpcPort<Handle>(
    { ...config, ...unbounded, isInner: true, host: '127.0.0.1', port: 0, tls: null },
    {
      ...collaborators,
      metrics: withoutCalls(collaborators.metrics),
      log: warningsOf(collaborators.log),
    },
  );
  try {
    const target = `127.0.0.1:${inner.port}`;
    const io = await startIoProcesses(
      { count, config, target, serving },
      { log: collaborators.log },
    );
    let isDraining = false;
    return {
      port: io.port,
      setServing(now) {
        inner.setServing(now);
        io.setServing(now);
      },
      get isDraining() {
        return isDraining;
      },
      get openCalls() {
        return inner.openCalls;
      },
      async drain(graceMs) {
        isDraining = true;
        const endsAtMs = performance.now() + graceMs;
        // Their open frames still need this process.
        await io.drain(graceMs - closingTimeMs(graceMs));
        await inner.drain(Math.max(0, endsAtMs - performance.now()));
      },
      snapshots: io.snapshots,
    };
  } catch (error) {
    await inner.drain(0);
    throw error;
  }
}

function withoutCalls(metrics: Metrics): Metrics {
  const ignored = {
    rpcStarted() {},
    rpcHandled() {},
    frameAnswered() {},
    frameRefused() {},
    frameCancelled() {},
  };
  return { ...metrics, ...ignored };
}

/** What only debugs or informs is a line a batch here. */
function warningsOf(log: Log): Log {
  return {
    debug() {},
    info() {},
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    child: (fields) => warningsOf(log.child(fields)),
  };
}
