import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createCommand,
  example,
  readConfig,
  streamMicroscope,
  type Terminal,
  type Verb,
  wholeNumber,
} from '../cli/index.js';

const model = 'demo';
const sizePx = 128;
const trainingFrames = 480;
const heldOutFrames = 120;
const streamedFrames = 200;
const framesPerSecond = 20;
/** Eight structures that look unlike each other: what a minute or two of training can learn. */
const labels = [0, 1, 2, 7, 12, 21, 23, 25];

/** `demo`: the whole way, once, in a temporary folder. */
export const demoVerb: Verb = (terminal) =>
  createCommand('demo', 'the whole way in four minutes: simulate, train, evaluate, serve, stream')
    .option('--keep', 'leave the server up, and print how to call it')
    .option('--seconds <number>', 'about how long to train', wholeNumber(1, 3600), 100)
    .addHelpText('after', example('demo', 'demo --keep'))
    .action(async (options) => {
      const folder = await mkdtemp(join(tmpdir(), 'cytostream-demo-'));
      try {
        await runDemo(
          { folder, keep: options.keep === true, budgetMs: options.seconds * 1000 },
          terminal,
        );
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });

interface DemoOptions {
  readonly folder: string;
  readonly keep: boolean;
  readonly budgetMs: number;
}

/**
 * 1 simulate, 2 start a server, 3 train on it, 4 evaluate, 5 promote, 6 stream. All
 * through the contract, as a client of any language would.
 */
async function runDemo({ folder, keep, budgetMs }: DemoOptions, terminal: Terminal): Promise<void> {
  const { connect } = await import('../client/index.js');
  const { formatReport } = await import('../evaluation/index.js');
  const { startServer } = await import('../server.js');
  const { createMicroscope, writeSimulatedDataset } = await import('../simulator/index.js');
  const { trainWithin } = await import('./train-within.js');

  using interruption = terminal.interruption();
  const { signal } = interruption;
  const say = (line: string) => terminal.print(line);

  say(`1  simulate: ${trainingFrames} labelled frames to learn from, ${heldOutFrames} held out`);
  const learn = join(folder, 'learn');
  const heldOut = join(folder, 'held-out');
  const total = trainingFrames + heldOutFrames;
  const simulating = terminal.progress({ title: 'simulating', unit: 'frames', total });
  for (const [dir, frameCount, seed, before] of [
    [learn, trainingFrames, 1, 0],
    [heldOut, heldOutFrames, 2, trainingFrames],
  ] as const) {
    const onProgress = (done: number) => simulating.update(before + done);
    await writeSimulatedDataset(dir, { frameCount, sizePx, seed, labels }, onProgress, signal);
  }
  simulating.end();

  const server = await startServer(
    readConfig({
      modelsDir: join(folder, 'models'),
      runsDir: join(folder, 'runs'),
      dataRoots: [folder],
      host: '127.0.0.1',
      httpHost: '127.0.0.1',
      port: 0,
      httpPort: 0,
      logLevel: 'warn',
    }),
  );
  const address = `127.0.0.1:${server.port}`;
  const client = connect(address);
  try {
    say(`\n2  train: seed-cnn on the CPU, for about ${Math.round(budgetMs / 1000)} s`);
    const spec = { dataPath: learn, model, epochs: 60, batchSize: 16, split: 'first' as const };
    const trained = await trainWithin({ spec, budgetMs, signal }, { client, terminal });
    const published = trained?.published;
    if (published === null || published === undefined) {
      throw new Error(`the training published nothing: ${trained?.reason ?? 'no end was told'}`);
    }
    const ref = `${model}@${published.version}`;
    say(`trained ${ref}: the weights of epoch ${trained?.best?.epoch}`);

    say(`\n3  evaluate: ${ref} on the ${heldOutFrames} held-out frames`);
    const evaluating = terminal.progress({
      title: 'evaluating',
      unit: 'frames',
      total: heldOutFrames,
    });
    for await (const reply of client.evaluate({ dataPath: heldOut, model: ref }, { signal })) {
      if (reply.kind === 'progress') evaluating.update(reply.done);
      else {
        evaluating.end();
        say(formatReport(reply.report, { presentOnly: true }).trimEnd());
      }
    }

    say(`\n4  promote: ${ref} answers for "${model}" from now on`);
    await client.promote(model, published.version, { signal });
    say(`serving gRPC on ${address}, metrics on http://127.0.0.1:${server.httpPort}/metrics`);

    say(`\n5  stream: a simulated microscope, ${framesPerSecond} frames a second`);
    const acquisitions = createMicroscope(
      { frameCount: streamedFrames, framesPerSecond, sizePx, seed: 3, labels },
      { signal },
    );
    const summary = await streamMicroscope(
      { model, acquisitions, quiet: false },
      { client, terminal },
    );
    signal.throwIfAborted();
    if (summary.ok < summary.frames) throw new Error('a frame was not answered with a prediction');
    say(
      `${summary.hits} of ${summary.frames} frames: the most probable label is one they were made with`,
    );

    if (keep) {
      say(`\nThe server stays up on ${address} until Ctrl-C. In another terminal:`);
      say(`  npx cytostream models list --server ${address}`);
      say(`  npx cytostream simulate --server ${address} --model ${model} --rate 20`);
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    }
  } finally {
    client.close();
    await server.close();
  }
}
