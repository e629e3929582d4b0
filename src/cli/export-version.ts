import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InvalidArgumentError } from '@commander-js/extra-typings';
import { DomainError } from '../errors.js';
import { readConfig } from './config.js';
import { UsageError } from './failure.js';

const formats = ['onnx', 'tfjs'] as const;

/** How a version is written for others. */
export type ExportFormat = (typeof formats)[number];

/** Reads `--format`. */
export function exportFormat(text: string): ExportFormat {
  const format = formats.find((one) => one === text);
  if (format) return format;
  throw new InvalidArgumentError(`Expected ${formats.join(' or ')}.`);
}

/**
 * Writes a version of the models folder into a new folder: its ONNX graph as it is, or
 * TensorFlow.js' layers format; its labels in `labels.txt` beside it.
 *
 * Throws `model_unknown`, `model_failed` where the file is not the published one, and
 * `unsupported` where the graph has no form in TensorFlow's layers.
 */
export async function exportVersion(
  ref: string,
  {
    out,
    format,
    models,
  }: { readonly out: string; readonly format: ExportFormat; readonly models?: string | undefined },
): Promise<{ readonly name: string; readonly version: number; readonly files: readonly string[] }> {
  const { openModelStore } = await import('../models/index.js');
  const { writeFolder } = await import('../files/index.js');
  const store = await openModelStore(readConfig({ modelsDir: models }).modelsDir);
  const manifest = await store.read(ref);
  const model = await store.readFile(manifest, 'model.onnx');
  const folder = resolve(out);
  if (await stat(folder).catch(() => null)) {
    throw new UsageError(`expected a folder that is not there yet, got ${out}`);
  }
  const files = { ...(await written()), 'labels.txt': `${manifest.labels.join('\n')}\n` };
  await writeFolder(folder, files);
  const { name, version } = manifest;
  return { name, version, files: Object.keys(files).sort() };

  async function written(): Promise<Readonly<Record<string, Uint8Array | string>>> {
    if (format === 'onnx') return { 'model.onnx': model };
    const { readOnnx, writeTfjs } = await import('../interchange/index.js');
    try {
      return writeTfjs(readOnnx(model));
    } catch (thrown) {
      if (!(thrown instanceof DomainError) || thrown.code !== 'unsupported') throw thrown;
      throw new DomainError(
        'unsupported',
        `${manifest.name}@${manifest.version} has no form in TensorFlow's layers, --format onnx gives it as it is: ${thrown.message}`,
        { cause: thrown },
      );
    }
  }
}
