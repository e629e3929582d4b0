import { basename, resolve } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import type { Comparison, EvaluatedPart } from '../evaluation/index.js';
import { address, createCommand, example, type Verb } from './command.js';
import { evaluatedParts, flags } from './flags.js';
import { withParts } from './in-place.js';
import { claimOutFolder } from './out-path.js';
import { type Terminal, widthOf } from './terminal.js';
import { withProgress } from './with-progress.js';

/** `compare`: two versions on the same frames, with paired tests. */
export const compareVerb: Verb = (terminal) =>
  createCommand('compare', 'compare two versions on the same labelled frames, with paired tests')
    .requiredOption(flags.data, flags.dataHelp)
    .requiredOption(flags.model, flags.modelHelp)
    .requiredOption('--with <name[@version]>', 'the other, whose gain is told')
    .addOption(
      new Option('--part <name>', 'frames they are compared on: unseen leaves out those either saw')
        .choices(evaluatedParts)
        .default<EvaluatedPart>('all'),
    )
    .option('--out <dir>', 'write comparison.html and comparison.json there')
    .option(flags.models, flags.modelsHelp)
    .option(flags.server, `${flags.serverHelp}; DIR is a folder of the server`, address)
    .option(flags.json, flags.jsonHelp)
    .addHelpText(
      'after',
      example('compare --data held-out --model cells --with cells@candidate --out comparison'),
    )
    .action(async (options) => {
      const { data, model, with: compareWith, part, server } = options;
      const request = { dataPath: data, model, compareWith, part };
      if (options.out !== undefined) await claimOutFolder(options.out);
      const comparison = await (server === undefined
        ? compareInPlace(request, options, terminal)
        : compareOnServer(request, server, terminal));
      const { formatComparison } = await import('../evaluation/index.js');
      if (options.out !== undefined) {
        const { writeComparison } = await import('../reports/index.js');
        const title = `${comparison.firstRef} and ${comparison.secondRef} on ${basename(resolve(data))}`;
        await writeComparison(resolve(options.out), comparison, { title });
      }
      terminal.print(
        options.json
          ? JSON.stringify(comparison)
          : formatComparison(comparison, widthOf(terminal)).trimEnd(),
      );
      if (options.out !== undefined && !options.json) {
        terminal.print(`\nthe comparison is in ${options.out}`);
      }
    });

interface CompareRequest {
  readonly dataPath: string;
  readonly model: string;
  readonly compareWith: string;
  readonly part: EvaluatedPart;
}

const bar = { title: 'evaluating both', unit: 'frames', total: 0 };

function compareInPlace(
  request: CompareRequest,
  options: { readonly models?: string | undefined },
  terminal: Terminal,
): Promise<Comparison> {
  return withParts(options, async (parts) => {
    const { createCompare } = await import('../server.js');
    // Whoever sits at the screen may read what this user may read.
    const compare = createCompare({ dataRoots: null }, parts);
    const dataPath = resolve(request.dataPath);
    const compared = await withProgress(bar, terminal, (way) =>
      compare({ ...request, dataPath }, way),
    );
    return compared.comparison;
  });
}

async function compareOnServer(
  request: CompareRequest,
  server: string,
  terminal: Terminal,
): Promise<Comparison> {
  const { connect } = await import('../client/index.js');
  const client = connect(server);
  try {
    return await withProgress(bar, terminal, async ({ signal, onProgress }) => {
      for await (const reply of client.compare(request, { signal })) {
        if (reply.kind === 'comparison') return reply.comparison;
        onProgress(reply.done, reply.total);
      }
      throw new Error('the server ended the comparison without a result');
    });
  } finally {
    client.close();
  }
}
