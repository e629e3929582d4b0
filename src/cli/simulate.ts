import { resolve } from 'node:path';
import { address, createCommand, example, numberAbove, type Verb, wholeNumber } from './command.js';
import { Exit, UsageError } from './failure.js';
import { flags } from './flags.js';
import type { Terminal } from './terminal.js';
import { withProgress } from './with-progress.js';

/** `simulate`: makes labelled frames, as a dataset or as a microscope that streams them. */
export const simulateVerb: Verb = (terminal) =>
  createCommand('simulate', 'simulate labelled frames: write a dataset, or stream to a server')
    .option('--out <dir>', 'write a dataset in the Kaggle layout there')
    .option(flags.server, 'stream to this server as a microscope would', address)
    .option('--model <name[@version]>', 'model that answers; without it the only one there is', '')
    .option('--frames <number>', 'how many', wholeNumber(1), 100)
    .option('--size <pixels>', 'edge of a frame', wholeNumber(32, 4096), 128)
    .option('--rate <number>', 'frames a second (default: as they are answered)', numberAbove(0))
    .option('--seed <number>', 'fixes every pixel', wholeNumber(0), 1)
    .option(flags.json, 'print a summary as JSON, for a script')
    .addHelpText(
      'after',
      example(
        'simulate --out my-cells --frames 500',
        'simulate --server localhost:50051 --model cells --rate 20',
      ),
    )
    .action(async (options) => {
      const { out, server, frames: frameCount, size: sizePx, seed } = options;
      const json = options.json === true;
      if ((out === undefined) === (server === undefined)) {
        throw new UsageError('expected either --out DIR or --server HOST:PORT');
      }
      if (out !== undefined) {
        await writeDataset({ folder: resolve(out), frameCount, sizePx, seed, json }, terminal);
      } else if (server !== undefined) {
        const framesPerSecond = options.rate ?? null;
        const { model } = options;
        await stream({ server, model, frameCount, sizePx, seed, framesPerSecond, json }, terminal);
      }
    });

interface Simulation {
  readonly frameCount: number;
  readonly sizePx: number;
  readonly seed: number;
  readonly json: boolean;
}

async function writeDataset(
  { folder, json, ...options }: Simulation & { readonly folder: string },
  terminal: Terminal,
): Promise<void> {
  const { writeSimulatedDataset } = await import('../simulator/index.js');
  const total = options.frameCount;
  await withProgress({ title: 'simulating', unit: 'frames', total }, terminal, (way) =>
    writeSimulatedDataset(folder, options, way.onProgress, way.signal),
  );
  terminal.print(
    json
      ? JSON.stringify({ folder, frames: total })
      : `wrote ${total} frames to ${folder}; train on them with: npx cytostream train --data ${folder} --model NAME`,
  );
}

async function stream(
  options: Simulation & {
    readonly server: string;
    readonly model: string;
    readonly framesPerSecond: number | null;
  },
  terminal: Terminal,
): Promise<void> {
  const { connect } = await import('../client/index.js');
  const { createMicroscope } = await import('../simulator/index.js');
  const { streamMicroscope } = await import('./stream-microscope.js');
  using interruption = terminal.interruption();
  const { signal } = interruption;
  const client = connect(options.server);
  try {
    // Ctrl-C ends the acquisition; what is under way is still answered and counted.
    const acquisitions = createMicroscope(options, { signal });
    const { model, json } = options;
    const summary = await streamMicroscope(
      { model, acquisitions, quiet: json },
      { client, terminal },
    );
    if (json) terminal.print(JSON.stringify(summary));
    if (summary.ok < summary.frames) throw new Exit(1);
  } finally {
    client.close();
  }
}
