import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../package-root.js';
import { createCommand, example, type Verb } from './command.js';
import { describeFailure } from './failure.js';
import type { Terminal } from './terminal.js';

/**
 * Runs the command line `argv` (node, script, words) with a table of verbs.
 *
 * Resolves with the exit code: 0, 1 after a failure, 2 after a mistake in the
 * command, 130 after Ctrl-C. Never throws.
 */
export async function runCommandLine(
  argv: readonly string[],
  { verbs, terminal }: { readonly verbs: readonly Verb[]; readonly terminal: Terminal },
): Promise<number> {
  const program = createCommand(
    'cytostream',
    'A real-time inference server for fluorescence microscopes.',
  )
    .version(readVersion(), '--version', 'print the version')
    .option('--verbose', 'tell where a failure happened')
    .addHelpText('after', example('demo', 'train --data my-cells --model cells', 'serve'));
  for (const verb of verbs) program.addCommand(verb(terminal));
  try {
    await program.parseAsync([...argv]);
    return 0;
  } catch (thrown) {
    const failure = describeFailure(thrown, { verbose: program.opts().verbose === true });
    if (failure.message !== null) terminal.note(`cytostream: ${failure.message}`);
    return failure.exitCode;
  }
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}
