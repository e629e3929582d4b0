import { DomainError } from '../errors.js';
import { address, createCommand, example, numberAbove, type Verb, wholeNumber } from './command.js';
import { flags } from './flags.js';

/** `simulate`: makes labelled frames, as a dataset or as a microscope that streams them. */
export const simulateVerb: Verb = (_terminal) =>
  createCommand('simulate', 'simulate labelled frames: write a dataset, or stream to a server')
    .option('--out <dir>', 'write a dataset in the Kaggle layout there')
    .option(flags.server, 'stream to this server as a microscope would', address)
    .option('--model <name[@version]>', 'model that answers the stream')
    .option('--frames <number>', 'how many', wholeNumber(1), 100)
    .option('--size <pixels>', 'edge of a frame', wholeNumber(32, 4096), 128)
    .option(
      '--rate <number>',
      'frames a second; without it as fast as they are answered',
      numberAbove(0),
    )
    .option('--seed <number>', 'fixes every pixel', wholeNumber(0), 1)
    .option(flags.json, 'print a summary as JSON, for a script')
    .addHelpText(
      'after',
      example(
        'simulate --out my-cells --frames 500',
        'simulate --server localhost:50051 --model cells --rate 20',
      ),
    )
    .action(async () => {
      throw new DomainError('unsupported', 'simulate is not built yet');
    });
