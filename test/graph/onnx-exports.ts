import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-root.js';

/** Folder of what PyTorch exported; see test/golden/onnx_exports.py. */
export const exportsFolder = join(packageRoot, 'test/golden/onnx');

/** `[C, H, W]` and labels of all of them. */
export const exportShape = [2, 12, 16] as const;
export const exportLabels = ['Nucleus', 'Cytosol', 'Golgi'];

type Rows = readonly (readonly number[])[];

interface Answers {
  readonly pixels: readonly number[];
  /** Of pixels 0 to 1. */
  readonly plain: Rows;
  readonly normalised: {
    readonly mean: readonly number[];
    readonly std: readonly number[];
    readonly answers: Rows;
  };
  /** Of pixels as they are, 0 to 255. */
  readonly levels: Rows;
}

export const exportAnswers: Answers = JSON.parse(
  readFileSync(join(exportsFolder, 'answers.json'), 'utf8'),
);

export function readExport(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(exportsFolder, `${name}.onnx`)));
}
