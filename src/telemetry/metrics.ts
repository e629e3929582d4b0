import {
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  Registry,
} from 'prom-client';

/** How long a frame may take: 0.1 ms to 10 s, about three buckets a decade. */
const frameBuckets = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
/** Distances as a share of what is too far: fine around 1. */
const distanceBuckets = [0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5, 10, 30];
/** A call may be a stream that lives for hours. */
const callBuckets = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 600, 3600, 36000];

/** One answered frame; the times of a frame that was not run are absent. */
export interface FrameObservation {
  readonly outcome: string;
  readonly batchSize: number;
  /** How far it is from the training set; absent where nobody says. */
  readonly distance?: number | undefined;
  readonly timings: {
    readonly receiveMs: number;
    readonly prepareMs: number;
    readonly queueMs: number;
    readonly runMs: number;
    readonly totalMs: number;
  };
}

/** The version that a frame was answered by. */
export interface AnsweringVersion {
  /** Of a model that exists; never what a caller typed. */
  readonly name: string;
  readonly version: number;
  /** What is too far from its training set; absent where nobody says. */
  readonly distanceThreshold?: number | undefined;
}

/** One loaded or stored version, read when the metrics are scraped. */
export interface ModelObservation {
  readonly model: string;
  readonly version: number;
  readonly state: string;
  readonly device: string;
  /** "full" or "half"; empty if not loaded. */
  readonly precision: string;
  readonly live: boolean;
  /** null while it is not in memory. */
  readonly queuedFrames: number | null;
  readonly queuedBytes: number | null;
}

/**
 * Everything the server counts.
 *
 * Behaviour: labels come from closed sets (methods of the contract, status names,
 * outcomes, models that exist), so no caller can grow the metrics.
 * Use: one for each server. Not for: values that a log line tells better.
 */
export interface Metrics {
  rpcStarted(method: string): void;
  rpcHandled(method: string, code: string, seconds: number): void;
  /** A frame was answered by a version. */
  frameAnswered(by: AnsweringVersion, frame: FrameObservation): void;
  /** A frame was answered before a model was known. */
  frameRefused(outcome: string): void;
  /** The client left before the answer. */
  frameCancelled(): void;
  engineRan(batchSize: number, seconds: number): void;
  runEvent(kind: string): void;
  /** Asked at every scrape; replaces the one before. */
  readModelsFrom(read: () => readonly ModelObservation[]): void;
  /** The same for the bytes of frames on their way to an answer. */
  readReceivedBytesFrom(read: () => number): void;
  /** Prometheus text format; summed up with the snapshots of other processes, if any. */
  expose(
    others?: readonly (readonly object[])[],
  ): Promise<{ readonly contentType: string; readonly text: string }>;
  /** All metrics as they are now, for another process to expose. */
  snapshot(): Promise<readonly object[]>;
  /** The names of all metrics, as Prometheus stores them (with `_bucket`, `_sum`, `_count`). */
  names(): Promise<readonly string[]>;
}

/** A Metrics of its own: two servers in one process do not share counts. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  // The lag of the event loop is told with the 10 ms between two looks at it added. More looks
  // cost more than they tell: one every 2 ms took 2 % of a core of a server with nothing to do.
  collectDefaultMetrics({ register: registry });
  const ofVersion = ['model', 'version'] as const;
  const stage = (name: string, help: string) =>
    new Histogram({
      name: `cytostream_${name}_seconds`,
      help,
      labelNames: ofVersion,
      buckets: frameBuckets,
      registers,
    });
  const receive = stage(
    'receive',
    'From the last byte of a frame to the frame checked, with its wait for room in the stream.',
  );
  const prepare = stage('prepare', 'Wait of a frame for a thread, decode and resize.');
  const queue = stage('queue', 'Wait of a prepared frame for a place in a batch.');
  const run = stage('run', 'The batch of a frame in the engine.');
  const total = stage('total', 'From the last byte of a frame to its answer.');
  const batchSize = new Histogram({
    name: 'cytostream_batch_size',
    help: 'Frames in the batch that a frame was run in, observed once a frame.',
    labelNames: ofVersion,
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    registers,
  });
  const distances = new Histogram({
    name: 'cytostream_distance_ratio',
    help: "Distance of a frame to the training set, as a share of the version's threshold.",
    labelNames: ofVersion,
    buckets: distanceBuckets,
    registers,
  });
  const beyond = new Counter({
    name: 'cytostream_frames_beyond_total',
    help: "Frames further from the training set than the version's threshold.",
    labelNames: ofVersion,
    registers,
  });
  const frames = new Counter({
    name: 'cytostream_frames_total',
    help: 'Frames by how they ended; model is empty when it was not known yet.',
    labelNames: [...ofVersion, 'outcome'] as const,
    registers,
  });
  const engineRuns = new Counter({
    name: 'cytostream_engine_runs_total',
    help: 'Batches that the engine ran.',
    registers,
  });
  const engineRows = new Counter({
    name: 'cytostream_engine_rows_total',
    help: 'Frames that the engine ran, in all batches.',
    registers,
  });
  const engineSeconds = new Counter({
    name: 'cytostream_engine_busy_seconds_total',
    help: 'Time that the engine was running batches.',
    registers,
  });
  const started = new Counter({
    name: 'cytostream_rpc_started_total',
    help: 'Calls that came in.',
    labelNames: ['method'] as const,
    registers,
  });
  const handled = new Counter({
    name: 'cytostream_rpc_handled_total',
    help: 'Calls that ended, by status code.',
    labelNames: ['method', 'code'] as const,
    registers,
  });
  const seconds = new Histogram({
    name: 'cytostream_rpc_seconds',
    help: 'Length of a call.',
    labelNames: ['method'] as const,
    buckets: callBuckets,
    registers,
  });
  const runEvents = new Counter({
    name: 'cytostream_run_events_total',
    help: 'Events of training runs, by kind.',
    labelNames: ['kind'] as const,
    registers,
  });
  let readReceivedBytes = () => 0;
  new Gauge({
    name: 'cytostream_received_bytes',
    help: 'Bytes of frames, as they came, on their way to an answer.',
    registers,
    collect() {
      this.set(readReceivedBytes());
    },
  });
  let readModels: () => readonly ModelObservation[] = () => [];
  // Registered before the other two gauges that it fills: metrics are collected in this order.
  new Gauge({
    name: 'cytostream_queued_frames',
    help: 'Prepared frames waiting for a batch.',
    labelNames: ofVersion,
    registers,
    collect() {
      this.reset();
      queuedBytes.reset();
      modelInfo.reset();
      for (const { live, queuedFrames, queuedBytes: bytes, ...labels } of readModels()) {
        const { model, version } = labels;
        modelInfo.set({ ...labels, live: String(live) }, 1);
        if (queuedFrames !== null) this.set({ model, version }, queuedFrames);
        if (bytes !== null) queuedBytes.set({ model, version }, bytes);
      }
    },
  });
  const queuedBytes = new Gauge({
    name: 'cytostream_queued_bytes',
    help: 'Bytes of prepared frames waiting for a batch.',
    labelNames: ofVersion,
    registers,
  });
  const modelInfo = new Gauge({
    name: 'cytostream_model_info',
    help: 'One for each version of each model.',
    labelNames: [...ofVersion, 'state', 'device', 'precision', 'live'] as const,
    // Several processes hold the same version.
    aggregator: 'max',
    registers,
  });

  return {
    rpcStarted: (method) => started.inc({ method }),
    rpcHandled(method, code, duration) {
      handled.inc({ method, code });
      seconds.observe({ method }, duration);
    },
    frameAnswered({ name: model, version, distanceThreshold }, frame) {
      const { outcome, timings, distance } = frame;
      const labels = { model, version };
      frames.inc({ model, version, outcome });
      receive.observe(labels, timings.receiveMs / 1000);
      total.observe(labels, timings.totalMs / 1000);
      if (outcome !== 'ok') return;
      prepare.observe(labels, timings.prepareMs / 1000);
      queue.observe(labels, timings.queueMs / 1000);
      run.observe(labels, timings.runMs / 1000);
      batchSize.observe(labels, frame.batchSize);
      if (distance === undefined || !distanceThreshold) return;
      distances.observe(labels, distance / distanceThreshold);
      beyond.inc(labels, distance > distanceThreshold ? 1 : 0);
    },
    frameRefused: (outcome) => frames.inc({ model: '', version: 0, outcome }),
    frameCancelled: () => frames.inc({ model: '', version: 0, outcome: 'cancelled' }),
    engineRan(size, duration) {
      engineRuns.inc();
      engineRows.inc(size);
      engineSeconds.inc(duration);
    },
    runEvent: (kind) => runEvents.inc({ kind }),
    readModelsFrom(read) {
      readModels = read;
    },
    readReceivedBytesFrom(read) {
      readReceivedBytes = read;
    },
    async expose(others = []) {
      const { contentType } = registry;
      if (others.length === 0) return { contentType, text: await registry.metrics() };
      const all = [await registry.getMetricsAsJSON(), ...others];
      return { contentType, text: await AggregatorRegistry.aggregate(all).metrics() };
    },
    snapshot: () => registry.getMetricsAsJSON(),
    async names() {
      const all = await registry.getMetricsAsJSON();
      return all.flatMap(({ name, type }) =>
        String(type) === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
      );
    },
  };
}
