import { basename, resolve } from 'node:path';
import { createCommand, example, type Verb } from './command.js';
import { evaluateVersion } from './evaluate-version.js';
import { UsageError } from './failure.js';
import { flags } from './flags.js';
import { withParts } from './in-place.js';

/** `compare`: two versions on the same frames, with paired tests. */
export const compareVerb: Verb = (terminal) =>
  createCommand('compare', 'compare two versions on the same labelled frames, with paired tests')
    .requiredOption(flags.data, flags.dataHelp)
    .requiredOption(flags.model, flags.modelHelp)
    .requiredOption('--with <name[@version]>', 'the other, whose gain is told')
    .option('--out <dir>', 'write comparison.html and comparison.json there')
    .option(flags.models, flags.modelsHelp)
    .option(flags.json, flags.jsonHelp)
    .addHelpText(
      'after',
      example('compare --data held-out --model cells --with cells@candidate --out comparison'),
    )
    .action((options) =>
      withParts(options, async (parts) => {
        const { data } = options;
        const first = await evaluateVersion({ data, model: options.model }, parts, terminal);
        const second = await evaluateVersion({ data, model: options.with }, parts, terminal);
        const { labels } = first.manifest;
        const { compareVersions, formatComparison } = await import('../evaluation/index.js');
        const [one, other] = [first, second].map(({ manifest, rows }) => ({
          ref: `${manifest.name}@${manifest.version}`,
          rows,
          thresholds: manifest.thresholds,
        }));
        if (one === undefined || other === undefined) throw new Error('bug: two were compared');
        if (labels.join('\n') !== second.manifest.labels.join('\n')) {
          throw new UsageError(
            `expected versions of the same labels, got ${one.ref}, ${other.ref}`,
          );
        }
        const groups = first.dataset.frames.map(({ group }) => group);
        const comparison = await compareVersions([one, other], { labels, groups });
        if (options.out !== undefined) {
          const { writeComparison } = await import('../reports/index.js');
          const title = `${one.ref} and ${other.ref} on ${basename(resolve(data))}`;
          await writeComparison(resolve(options.out), comparison, { title });
        }
        terminal.print(
          options.json ? JSON.stringify(comparison) : formatComparison(comparison).trimEnd(),
        );
        if (options.out !== undefined && !options.json) {
          terminal.print(`\nthe comparison is in ${options.out}`);
        }
      }),
    );
