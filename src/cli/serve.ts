import { DomainError } from '../errors.js';
import { address, createCommand, example, type Verb, wholeNumber } from './command.js';
import { flags } from './flags.js';

void address;

/** `serve`: answers frames until it is told to stop. */
export const serveVerb: Verb = (_terminal) =>
  createCommand('serve', 'serve the live versions of all models over gRPC')
    .option(flags.models, flags.modelsHelp, 'models')
    .option(flags.runs, flags.runsHelp, 'runs')
    .option('--port <number>', 'gRPC port; 0 takes a free one', wholeNumber(0, 65_535), 50_051)
    .option(
      '--http-port <number>',
      'port of /metrics and /healthz; 0 takes a free one',
      wholeNumber(0, 65_535),
      9464,
    )
    .addHelpText('after', example('serve --models models --port 50051 --http-port 9464'))
    .action(async () => {
      throw new DomainError('unsupported', 'serve is not built yet');
    });
