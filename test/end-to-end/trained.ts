import { join } from 'node:path';
import { runCli } from '../cli/run-cli.js';

/** Simulates 12 labelled frames of 64 px and trains `cells@1` on them, for the form and not for the answers. */
export async function trainSmall(folder: string): Promise<{
  readonly data: string;
  /** `--models DIR`. */
  readonly places: readonly string[];
}> {
  const data = join(folder, 'cells');
  const places = ['--models', join(folder, 'models')];
  await runCli(['simulate', '--out', data, '--frames', '12', '--size', '64']);
  const words = ['--network', 'resnet-small', '--epochs', '1', '--batch', '8'];
  const { exitCode, stderr } = await runCli(
    [
      'train',
      '--data',
      data,
      '--model',
      'cells',
      ...words,
      ...places,
      '--runs',
      join(folder, 'runs'),
    ],
    { env: { CYTOSTREAM_TRAINING_THREADS: '1' } },
  );
  if (exitCode !== 0) throw new Error(stderr);
  return { data, places };
}
