import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DomainError } from '../errors.js';
import { packageRoot } from '../package-root.js';
import { createCommand, example, type Verb } from './command.js';
import { Exit } from './failure.js';

/** `bench`: the ratios this product holds itself to, measured on this machine. */
export const benchVerb: Verb = () =>
  createCommand('bench', 'measure the ratios of the product on this machine')
    .argument(
      '[section...]',
      'classify, isolation, transport, prepare, loading or training; all where none is named',
    )
    .addHelpText('after', example('bench', 'bench prepare'))
    .action(async (sections) => {
      const script = join(packageRoot, 'dist', 'bench', 'main.js');
      if (!existsSync(script)) {
        throw new DomainError(
          'unsupported',
          'the benchmarks are part of the source, not of the installed package: run "npm run bench" in a checkout',
        );
      }
      const child = spawn(process.execPath, [script, ...sections], { stdio: 'inherit' });
      const exitCode = await new Promise<number>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code) => resolve(code ?? 1));
      });
      if (exitCode !== 0) throw new Exit(exitCode);
    });
