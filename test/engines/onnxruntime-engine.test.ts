import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { createOnnxEngine, type OnnxEngineOptions } from '../../src/engines/index.js';
import { startOnnxWorker } from '../../src/engines/onnxruntime-engine.js';
import { DomainError } from '../../src/errors.js';
import { buildInference, initialiseParameters } from '../../src/graph/index.js';
import { createNetwork } from '../../src/training/networks/index.js';
import { tinyModel, tinyProbabilities } from './tiny-models.js';

const tinyShape = [4, 8, 8] as const;
const tinySpec = { inputShape: tinyShape, labelCount: 4 };
const rowBytes = 4 * 8 * 8;

/** An engine whose workers the test can reach. */
async function openEngine(t: ExecutionContext, options: Partial<OnnxEngineOptions> = {}) {
  const workers: Worker[] = [];
  const engine = await createOnnxEngine(
    { threads: 1, restartDelayMs: 5, ...options },
    {
      startWorker(settings) {
        const worker = startOnnxWorker(settings);
        workers.push(worker);
        return worker;
      },
    },
  );
  t.teardown(() => engine.close());
  return { engine, workers };
}

/** Pixels that differ from row to row; the same for the same seed. */
function pixelsOf(seed: number, length: number, brightest = 255): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 24) % (brightest + 1);
  });
}

const near = (t: ExecutionContext, got: ArrayLike<number>, expected: ArrayLike<number>) => {
  const differences = Array.from(expected, (value, index) =>
    Math.abs((got[index] ?? Number.NaN) - value),
  );
  t.is(got.length, expected.length);
  t.true(Math.max(...differences) <= 1e-6, `differs by ${Math.max(...differences)}`);
};

test.serial('distances come beside the probabilities where they are asked for', async (t) => {
  const { engine } = await openEngine(t);
  const [channels, heightPx, widthPx, labelCount] = [4, 40, 40, 3] as const;
  const network = createNetwork('seed-cnn', { channels, heightPx, widthPx, labelCount });
  const parameters = initialiseParameters(network, 3);
  const size = 2 * channels + 128;
  // Only the mean of the first channel counts, ten times over.
  const kernel = new Float32Array(size * size);
  kernel[0] = 10;
  const whitening = { kernel, bias: new Float32Array(size) };
  const model = buildInference(network, parameters, { whitening });
  const spec = { model, inputShape: [channels, heightPx, widthPx] as const, labelCount };
  const frameBytes = channels * heightPx * widthPx;
  const pixels = new Uint8Array(2 * frameBytes).fill(51, 0, frameBytes).fill(102, frameBytes);

  const asked = await engine.load({ ...spec, hasDistance: true });
  const answer = await asked.run(pixels, 2);
  // Float32 means of 1600 equal pixels, times ten.
  t.deepEqual(
    Array.from(answer.distances ?? [], (distance) => distance.toFixed(4)),
    ['2.0000', '4.0000'],
  );
  // Imported again, the same model's distances are nobody's.
  const unasked = await engine.load(spec);
  const again = await unasked.run(answer.input, 2);
  t.is(again.distances, undefined);
  t.deepEqual(again.probabilities, answer.probabilities);

  const plain = buildInference(network, parameters);
  const error = await t.throwsAsync(engine.load({ ...spec, model: plain, hasDistance: true }), {
    instanceOf: DomainError,
  });
  t.is(error.code, 'model_failed');
  t.regex(error.message, /expected one output of float32 \[N\], got 0: none/);
});

test.serial("a frame's answer is the same alone and in any batch", async (t) => {
  const { engine } = await openEngine(t, { threads: 2 });
  const [channels, heightPx, widthPx, labelCount] = [4, 40, 40, 28] as const;
  const network = createNetwork('seed-cnn', { channels, heightPx, widthPx, labelCount });
  const model = buildInference(network, initialiseParameters(network, 3));
  const session = await engine.load({
    model,
    inputShape: [channels, heightPx, widthPx],
    labelCount,
  });
  const frameBytes = channels * heightPx * widthPx;
  const frames = Array.from({ length: 8 }, (_, index) => pixelsOf(index + 1, frameBytes));
  const alone: Float32Array[] = [];
  for (const frame of frames) alone.push((await session.run(frame.slice(), 1)).probabilities);
  t.true(
    alone.slice(1).every((row) => row.some((value, label) => value !== alone[0]?.[label])),
    'the frames differ',
  );
  for (const batchSize of [2, 3, 4, 8]) {
    const input = new Uint8Array(batchSize * frameBytes);
    for (let row = 0; row < batchSize; row += 1) input.set(frames[row] ?? [], row * frameBytes);
    const { probabilities } = await session.run(input, batchSize);
    for (let row = 0; row < batchSize; row += 1) {
      // 1e-6: the runtime may add the same products in another order for another size.
      near(t, probabilities.subarray(row * 28, (row + 1) * 28), alone[row] ?? []);
    }
  }
});

test.serial('an input is given away, and its memory comes back with the answer', async (t) => {
  const { engine } = await openEngine(t);
  const session = await engine.load({ model: tinyModel(), ...tinySpec });
  const pixels = pixelsOf(1, 2 * rowBytes);
  const given = pixels.slice();
  const running = session.run(given, 2);
  await Promise.resolve();
  await Promise.resolve();
  const { input, probabilities, runMs } = await running;
  t.is(given.byteLength, 0, 'given away');
  t.deepEqual(input, pixels);
  t.is(input.buffer.byteLength, input.byteLength, 'over its own buffer');
  t.true(runMs > 0);
  near(t, probabilities.subarray(0, 4), tinyProbabilities(pixels.subarray(0, rowBytes)));
  near(t, probabilities.subarray(4), tinyProbabilities(pixels.subarray(rowBytes)));
  t.is(session.device, 'onnxruntime/cpu');
});

test.serial('several sessions answer each by its own model', async (t) => {
  const { engine } = await openEngine(t);
  const biases = [0, 1, -1];
  const sessions = await Promise.all(
    biases.map((bias) => engine.load({ model: tinyModel({ bias }), ...tinySpec })),
  );
  const pixels = pixelsOf(2, rowBytes);
  const runs = await Promise.all(sessions.map((session) => session.run(pixels.slice(), 1)));
  for (const [index, { probabilities }] of runs.entries()) {
    near(t, probabilities, tinyProbabilities(pixels, { bias: biases[index] ?? 0 }));
  }
  await sessions[1]?.close();
  await t.throwsAsync(async () => sessions[1]?.run(pixels.slice(), 1), { code: 'not_ready' });
  near(
    t,
    (await sessions[2]!.run(pixels.slice(), 1)).probabilities,
    tinyProbabilities(pixels, { bias: -1 }),
  );
});

test.serial(
  'a model that does not fit is refused with what was expected and what came',
  async (t) => {
    const { engine } = await openEngine(t);
    const refused = async (model: Uint8Array, message: string | RegExp, spec = tinySpec) => {
      const error = await t.throwsAsync(engine.load({ model, ...spec }), { message });
      t.true(error instanceof DomainError && error.code === 'model_failed');
      t.notRegex(error?.message ?? '', /\//, 'no path');
    };
    await refused(new Uint8Array(50), /^the runtime refused the model: \S/);
    await refused(tinyModel().subarray(0, 200), /^the runtime refused the model: \S/);
    await refused(
      tinyModel({ inputType: 'float32' }),
      'expected input "pixels" to be uint8 [N, 4, 8, 8] with a free N, got float32 [N, 4, 8, 8]',
    );
    await refused(
      tinyModel({ sizePx: 16 }),
      'expected input "pixels" to be uint8 [N, 4, 8, 8] with a free N, got uint8 [N, 4, 16, 16]',
    );
    await refused(
      tinyModel({ batch: 1 }),
      /expected input "pixels" to be uint8 \[N, 4, 8, 8\] with a free N, got uint8 \[1, 4, 8, 8\]/,
    );
    await refused(
      tinyModel(),
      'expected output "probabilities" to be float32 [N, 28] with a free N, got float32 [N, 4]',
      { inputShape: tinyShape, labelCount: 28 },
    );
  },
);

test.serial('after a crash the pending runs hear of it, and the sessions come back', async (t) => {
  // A thread that dies at its first run, and after it the real one. (The real one cannot be
  // ended during a run: the runtime would abort the process.)
  const dying = `
    const { parentPort } = require('node:worker_threads');
    parentPort.on('message', ({ kind, id }) => {
      if (kind === 'run') throw new Error('out of memory');
      parentPort.postMessage({ id, kind: kind === 'load' ? 'loaded' : 'done', warning: null });
    });`;
  let starts = 0;
  const engine = await createOnnxEngine(
    { threads: 1, restartDelayMs: 5 },
    {
      startWorker(settings) {
        starts += 1;
        return starts === 1 ? new Worker(dying, { eval: true }) : startOnnxWorker(settings);
      },
    },
  );
  t.teardown(() => engine.close());
  const first = await engine.load({ model: tinyModel(), ...tinySpec });
  const second = await engine.load({ model: tinyModel({ bias: 1 }), ...tinySpec });
  const pixels = pixelsOf(3, rowBytes);
  const pending = [first, second].map((session) => session.run(pixels.slice(), 1));
  await Promise.all(
    pending.map((run) => t.throwsAsync(run, { instanceOf: DomainError, code: 'not_ready' })),
  );
  near(t, (await first.run(pixels.slice(), 1)).probabilities, tinyProbabilities(pixels));
  near(
    t,
    (await second.run(pixels.slice(), 1)).probabilities,
    tinyProbabilities(pixels, { bias: 1 }),
  );
  t.is(starts, 2);
});

test.serial('an engine survives one crash after another', async (t) => {
  const { engine, workers } = await openEngine(t);
  const session = await engine.load({ model: tinyModel(), ...tinySpec });
  const pixels = pixelsOf(4, rowBytes);
  for (let crash = 0; crash < 4; crash += 1) {
    await workers.at(-1)?.terminate();
    const { probabilities } = await session.run(pixels.slice(), 1);
    near(t, probabilities, tinyProbabilities(pixels));
  }
  t.is(workers.length, 5);
});

test.serial('a process that stood still does not give up its worker', async (t) => {
  const { engine, workers } = await openEngine(t, { runTimeoutMs: 50 });
  const session = await engine.load({ model: tinyModel(), ...tinySpec });
  const pixels = pixelsOf(5, rowBytes);
  const running = session.run(pixels.slice(), 1);
  await new Promise(setImmediate); // the worker has it
  // As if the machine had been suspended: no timer and no message is seen for a while.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
  near(t, (await running).probabilities, tinyProbabilities(pixels));
  t.is(workers.length, 1);
});

test.serial(
  'a run that hangs is given up, and the next frame is answered by a new worker',
  async (t) => {
    const { engine, workers } = await openEngine(t, { runTimeoutMs: 400 });
    // A bright frame loops for seconds within the native call, where nobody can stop it.
    const session = await engine.load({ model: tinyModel({ stepsPerLevel: 12_000 }), ...tinySpec });
    const dark = new Uint8Array(rowBytes);
    near(t, (await session.run(dark.slice(), 1)).probabilities, tinyProbabilities(dark));
    const startedAt = performance.now();
    await t.throwsAsync(session.run(new Uint8Array(rowBytes).fill(255), 1), {
      instanceOf: DomainError,
      code: 'not_ready',
    });
    t.true(performance.now() - startedAt >= 399, 'not before its time');
    near(t, (await session.run(dark.slice(), 1)).probabilities, tinyProbabilities(dark));
    t.is(workers.length, 2);
    await once(workers[0] as Worker, 'exit'); // the native call ends some time
  },
);

test.serial(
  'a run of a size that was quick before is given up long before the first of another',
  async (t) => {
    const options = { runTimeoutMs: 120_000, leastRunTimeoutMs: 300 };
    const { engine, workers } = await openEngine(t, options);
    const session = await engine.load({ model: tinyModel({ stepsPerLevel: 5000 }), ...tinySpec });
    const dark = new Uint8Array(rowBytes);
    const bright = new Uint8Array(rowBytes).fill(255);
    await session.run(dark.slice(), 1);
    // Its first in this size: nobody knows yet what it takes.
    const pair = new Uint8Array(2 * rowBytes);
    pair.set(bright);
    const { runMs } = await session.run(pair, 2);
    t.true(runMs > 600, `${runMs} ms tell nothing`);
    const startedAt = performance.now();
    await t.throwsAsync(session.run(bright.slice(), 1), {
      instanceOf: DomainError,
      code: 'not_ready',
    });
    t.true(performance.now() - startedAt >= 299, 'not before its time');
    near(t, (await session.run(dark.slice(), 1)).probabilities, tinyProbabilities(dark));
    await once(workers[0] as Worker, 'exit'); // the native call ends some time
  },
);

test.serial(
  'where a device builds for each shape, the first run of a size has the time of a load',
  async (t) => {
    // The table's word for a GPU, whatever computes here.
    const workers: Worker[] = [];
    const engine = await createOnnxEngine(
      { device: 'webgpu', threads: 1, restartDelayMs: 5, runTimeoutMs: 50 },
      {
        startWorker(settings) {
          const worker = startOnnxWorker({ ...settings, device: 'cpu' });
          workers.push(worker);
          return worker;
        },
      },
    );
    t.teardown(() => engine.close());
    const session = await engine.load({ model: tinyModel({ stepsPerLevel: 1500 }), ...tinySpec });
    const slow = (batchSize: number) =>
      session.run(new Uint8Array(batchSize * rowBytes).fill(255), batchSize);
    t.true((await slow(1)).runMs > 50, 'or this test could not fail');
    await slow(2);
    await t.throwsAsync(slow(1), { code: 'not_ready' }, 'its second run of that size hangs');
    await once(workers[0] as Worker, 'exit'); // the native call ends some time
    await slow(1); // another worker, for which it is the first
  },
);

test.serial('the event loop goes on while a batch runs', async (t) => {
  const { engine } = await openEngine(t);
  const session = await engine.load({ model: tinyModel({ stepsPerLevel: 1500 }), ...tinySpec });
  let turns = 0;
  const count = () => {
    turns += 1;
    turning = setImmediate(count);
  };
  let turning = setImmediate(count);
  const { runMs } = await session.run(new Uint8Array(rowBytes).fill(255), 1);
  clearImmediate(turning);
  // Far below what an event loop does in that time, far above the one turn of a blocked one.
  t.true(turns > runMs, `${turns} turns in ${runMs} ms`);
});

test.serial('close lets what runs end and refuses what comes after', async (t) => {
  const { engine } = await openEngine(t);
  const session = await engine.load({ model: tinyModel(), ...tinySpec });
  const running = session.run(pixelsOf(5, rowBytes), 1);
  await Promise.resolve();
  await Promise.resolve();
  await Promise.all([engine.close(), engine.close()]);
  t.is((await running).probabilities.length, 4);
  await t.throwsAsync(session.run(pixelsOf(5, rowBytes), 1), { code: 'not_ready' });
  await t.throwsAsync(engine.load({ model: tinyModel(), ...tinySpec }), { code: 'not_ready' });
  await session.close();
});

test.serial('a runtime that does not start says so', async (t) => {
  await t.throwsAsync(
    createOnnxEngine(
      {},
      { startWorker: () => new Worker('throw new Error("no such library")', { eval: true }) },
    ),
    {
      instanceOf: DomainError,
      code: 'unsupported',
      message: 'onnxruntime did not start on cpu: it threw: no such library',
    },
  );
});

test.serial('a process whose engine was abandoned within a run ends at once', async (t) => {
  const script = `
    const { createOnnxEngine } = await import(process.argv[1]);
    const { tinyModel } = await import(process.argv[2]);
    const engine = await createOnnxEngine({ threads: 1 });
    const model = tinyModel({ stepsPerLevel: 400_000 }); // minutes within the native call
    const session = await engine.load({ model, inputShape: [4, 8, 8], labelCount: 4 });
    const running = session.run(new Uint8Array(256).fill(255), 1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const unanswered = engine.abandon();
    const code = await running.catch((error) => error.code);
    await engine.close();
    console.log(unanswered, code);`;
  const urls = ['../../src/engines/index.js', './tiny-models.js'].map(
    (path) => new URL(path, import.meta.url).href,
  );
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script, ...urls]);
  const late = setTimeout(() => child.kill('SIGABRT'), 20_000);
  const [[told], [code, signal]] = await Promise.all([
    once(child.stdout, 'data'),
    once(child, 'exit'),
  ]);
  clearTimeout(late);
  t.is(String(told), '1 not_ready\n');
  // Without a way to replace the process SIGKILL ends the thread within its call.
  t.deepEqual([code, signal], 'execve' in process ? [0, null] : [null, 'SIGKILL']);
});

test.serial('a process that ends itself during a run ends with its own code', async (t) => {
  const script = `
    const { createOnnxEngine } = await import(process.argv[1]);
    const { tinyModel } = await import(process.argv[2]);
    const engine = await createOnnxEngine({ threads: 1 });
    const model = tinyModel({ stepsPerLevel: 150 }); // some 70 ms, far from the 5 s it is waited for
    const session = await engine.load({ model, inputShape: [4, 8, 8], labelCount: 4 });
    for (let run = 0; run < 3; run += 1) void session.run(new Uint8Array(256).fill(255), 1);
    setTimeout(() => process.exit(7), 50);`;
  const urls = ['../../src/engines/index.js', './tiny-models.js'].map(
    (path) => new URL(path, import.meta.url).href,
  );
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script, ...urls]);
  t.deepEqual(await once(child, 'exit'), [7, null]);
});
