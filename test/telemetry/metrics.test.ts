import test from 'ava';
import { devices } from '../../src/engines/index.js';
import { createMetrics, type FrameObservation } from '../../src/telemetry/index.js';

const frame: FrameObservation = {
  outcome: 'ok',
  batchSize: 4,
  timings: { receiveMs: 0.2, prepareMs: 3, queueMs: 1, runMs: 7, totalMs: 12 },
};

const cells = { name: 'cells', version: 2 };

/** The value of a sample, by its name with labels. */
const sampleOf = (text: string, sample: string) =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${sample} `))
      ?.split(' ')[1],
  );

test('a frame is observed in every stage of its way, in seconds, under its version', async (t) => {
  const metrics = createMetrics();
  metrics.frameAnswered(cells, frame);
  const { text, contentType } = await metrics.expose();
  t.regex(contentType, /text\/plain/);
  const labels = '{model="cells",version="2"}';
  for (const [stage, seconds] of [
    ['receive', 0.0002],
    ['prepare', 0.003],
    ['queue', 0.001],
    ['run', 0.007],
    ['total', 0.012],
  ] as const) {
    t.is(sampleOf(text, `cytostream_${stage}_seconds_count${labels}`), 1);
    t.is(sampleOf(text, `cytostream_${stage}_seconds_sum${labels}`), seconds);
  }
  const below = 'cytostream_run_seconds_bucket{le="0.005",model="cells",version="2"}';
  t.is(sampleOf(text, below), 0);
  t.is(sampleOf(text, below.replace('0.005', '0.01')), 1);
  t.is(sampleOf(text, `cytostream_batch_size_sum${labels}`), 4);
  t.is(sampleOf(text, 'cytostream_frames_total{model="cells",version="2",outcome="ok"}'), 1);
});

test('the largest batch of any device is told from larger ones', async (t) => {
  const metrics = createMetrics();
  const largest = Math.max(...Object.values(devices).flatMap(({ batchSizes }) => batchSizes));
  metrics.frameAnswered(cells, { ...frame, batchSize: largest });
  metrics.frameAnswered(cells, { ...frame, batchSize: largest + 1 });
  const { text } = await metrics.expose();
  const bucket = `cytostream_batch_size_bucket{le="${largest}",model="cells",version="2"}`;
  t.is(sampleOf(text, bucket), 1);
});

test('a frame that was not run has no prepare, queue and run time', async (t) => {
  const metrics = createMetrics();
  metrics.frameAnswered(cells, { ...frame, outcome: 'shed', batchSize: 0 });
  const { text } = await metrics.expose();
  t.is(sampleOf(text, 'cytostream_total_seconds_count{model="cells",version="2"}'), 1);
  t.false(text.includes('cytostream_run_seconds_count{'));
  t.is(sampleOf(text, 'cytostream_frames_total{model="cells",version="2",outcome="shed"}'), 1);
});

test('distances are counted as a share of the threshold, and those beyond it', async (t) => {
  const metrics = createMetrics();
  for (const distance of [1, 1.9, 2.5]) {
    metrics.frameAnswered({ ...cells, distanceThreshold: 2 }, { ...frame, distance });
  }
  metrics.frameAnswered(cells, frame);
  const { text } = await metrics.expose();
  const labels = '{model="cells",version="2"}';
  t.is(sampleOf(text, `cytostream_distance_ratio_count${labels}`), 3, 'the last had none');
  t.is(sampleOf(text, `cytostream_distance_ratio_sum${labels}`), 2.7);
  t.is(sampleOf(text, `cytostream_frames_beyond_total${labels}`), 1);
});

test('models and queues are read at every scrape, and those that are gone disappear', async (t) => {
  const metrics = createMetrics();
  const where = { device: 'onnxruntime/cpu', precision: 'half' };
  const model = { model: 'cells', version: 1, state: 'ready', ...where };
  let models = [{ ...model, live: true, queuedFrames: 3 as number | null, queuedBytes: 300 }];
  metrics.readModelsFrom(() => models);
  const first = (await metrics.expose()).text;
  t.is(sampleOf(first, 'cytostream_queued_frames{model="cells",version="1"}'), 3);
  t.is(sampleOf(first, 'cytostream_queued_bytes{model="cells",version="1"}'), 300);
  t.regex(
    first,
    /cytostream_model_info\{model="cells",version="1",state="ready",device="onnxruntime\/cpu",precision="half",live="true"\} 1/,
  );
  models = [];
  const second = (await metrics.expose()).text;
  t.false(/cytostream_(queued_frames|queued_bytes|model_info)\{/.test(second));
});

test('calls are counted by method and code', async (t) => {
  const metrics = createMetrics();
  metrics.rpcStarted('Classify');
  metrics.rpcStarted('Classify');
  metrics.rpcHandled('Classify', 'OK', 2);
  const { text } = await metrics.expose();
  t.is(sampleOf(text, 'cytostream_rpc_started_total{method="Classify"}'), 2);
  t.is(sampleOf(text, 'cytostream_rpc_handled_total{method="Classify",code="OK"}'), 1);
  t.is(sampleOf(text, 'cytostream_rpc_seconds_sum{method="Classify"}'), 2);
});

test('the event loop, memory and garbage collection are told as well', async (t) => {
  const { text } = await createMetrics().expose();
  for (const name of ['nodejs_eventloop_lag_p99_seconds', 'process_resident_memory_bytes']) {
    t.true(sampleOf(text, name) >= 0, name);
  }
  t.regex(text, /# TYPE nodejs_gc_duration_seconds histogram/);
});

test('two servers in one process do not share counts', async (t) => {
  const [one, other] = [createMetrics(), createMetrics()];
  one.engineRan(8, 0.5);
  t.is(sampleOf((await one.expose()).text, 'cytostream_engine_rows_total'), 8);
  t.is(sampleOf((await other.expose()).text, 'cytostream_engine_rows_total'), 0);
});
