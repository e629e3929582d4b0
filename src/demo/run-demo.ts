import { join } from 'node:path';
import { readConfig, streamMicroscope, type Terminal, widthOf } from '../cli/index.js';
import { connect } from '../client/index.js';
import { formatReport } from '../evaluation/index.js';
import { startServer } from '../server.js';
import { createMicroscope, writeSimulatedDataset } from '../simulator/index.js';
import { judge } from './judge.js';
import { type RecipeName, recipes } from './recipes.js';
import { trainWithin } from './train-within.js';

const model = 'demo';
const sizePx = 128;
/** About twenty of each label. */
const heldOutFrames = 420;
const streamedFrames = 200;
const framesPerSecond = 20;

export interface DemoOptions {
  readonly folder: string;
  readonly network: RecipeName;
  readonly trainingFrames: number;
  readonly seed: number;
  /** Fewer frames than its recipe is made for promise nothing. */
  readonly isSmall: boolean;
  readonly keep: boolean;
  readonly budgetMs: number;
  /** null asks for what the recipe promises, of a run that had all its epochs. */
  readonly leastMacroF1: number | null;
}

/**
 * 1 simulate, 2 start a server, 3 train on it, 4 evaluate, 5 promote, 6 stream. All
 * through the contract, as a client of any language would. A model that scores too low
 * on the held-out frames is not promoted, and the demo fails; where that is not checked it
 * says so.
 */
export async function runDemo(options: DemoOptions, terminal: Terminal): Promise<void> {
  const { folder, network, trainingFrames, seed, keep, budgetMs } = options;
  using interruption = terminal.interruption();
  const { signal } = interruption;
  const say = (line: string) => terminal.print(line);

  say(`1  simulate: ${trainingFrames} labelled frames to learn from, ${heldOutFrames} held out`);
  const learn = join(folder, 'learn');
  const heldOut = join(folder, 'held-out');
  const total = trainingFrames + heldOutFrames;
  const simulating = terminal.progress({ title: 'simulating', unit: 'frames', total });
  // Every part has a seed of its own: no cell is seen twice.
  const seeds = { learn: 3 * seed, heldOut: 3 * seed + 1, streamed: 3 * seed + 2 };
  for (const [dir, frameCount, seed, before] of [
    [learn, trainingFrames, seeds.learn, 0],
    [heldOut, heldOutFrames, seeds.heldOut, trainingFrames],
  ] as const) {
    const onProgress = (done: number) => simulating.update(before + done);
    await writeSimulatedDataset(dir, { frameCount, sizePx, seed }, onProgress, signal);
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
    const { epochs } = recipes[network].spec;
    say(`\n2  train: ${network} on the CPU, ${epochs} epochs or ${Math.round(budgetMs / 1000)} s`);
    const spec = { ...recipes[network].spec, dataPath: learn, model, seed };
    const trained = await trainWithin({ spec, budgetMs, signal }, { client, terminal });
    const published = trained?.published;
    if (published === null || published === undefined) {
      throw new Error(`the training published nothing: ${trained?.reason ?? 'no end was told'}`);
    }
    const ref = `${model}@${published.version}`;
    say(`trained ${ref}: the weights of epoch ${trained?.best?.epoch}`);
    if (trained?.isCut) say('its time ran out before its last epoch');

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
        say(formatReport(reply.report, widthOf(terminal)).trimEnd());
        say(
          judge({
            macroF1: reply.report.macroF1,
            asked: options.leastMacroF1,
            promised: recipes[network].leastMacroF1,
            isCut: trained?.isCut === true,
            isSmall: options.isSmall,
          }),
        );
      }
    }

    say(`\n4  promote: ${ref} answers for "${model}" from now on`);
    await client.promote(model, published.version, { signal });
    say(`serving gRPC on ${address}, metrics on http://127.0.0.1:${server.httpPort}/metrics`);

    say(`\n5  stream: a simulated microscope, ${framesPerSecond} frames a second`);
    const acquisitions = createMicroscope(
      { frameCount: streamedFrames, framesPerSecond, sizePx, seed: seeds.streamed },
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
    } else {
      say('\nNothing of it is kept. With frames of your own (DIR in the Kaggle layout):');
      say('  npx cytostream train --data DIR --model cells --recipe residual');
      say('  npx cytostream serve');
      say('A server to call from a client of your own: npm run demo -- --keep');
    }
  } finally {
    client.close();
    await server.close();
  }
}
