import { parse } from 'node:path';
import type { Parts } from '../server.js';
import { readConfig } from './config.js';

export interface InPlaceOptions {
  readonly models?: string | undefined;
  readonly runs?: string | undefined;
  /** Folder of runs whose prepared frames trainings use. @default that of `runs` */
  readonly framesOf?: string | undefined;
}

/**
 * Opens the parts of a server that serves nobody: what a verb needs to work in
 * place, on the same code as a server. The caller closes them.
 */
export async function openInPlace(options: InPlaceOptions): Promise<Parts> {
  const config = readConfig({
    modelsDir: options.models,
    runsDir: options.runs,
    // Whoever sits at the screen may read what this user may read.
    dataRoots: [parse(process.cwd()).root],
    logLevel: 'warn',
  });
  const { openParts } = await import('../server.js');
  return openParts(config, options.framesOf === undefined ? {} : { framesOf: options.framesOf });
}

/** Lends the parts of a server, and closes them whatever happens. */
export async function withParts<Result>(
  options: InPlaceOptions,
  use: (parts: Parts) => Promise<Result>,
): Promise<Result> {
  const parts = await openInPlace(options);
  try {
    return await use(parts);
  } finally {
    await parts.close();
  }
}
