import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DomainError } from '../errors.js';

/** A model made elsewhere, as ONNX, and what its architecture says of its input and output. */
export interface ForeignModel {
  readonly onnx: Uint8Array;
  readonly channelCount: number;
  readonly heightPx: number;
  readonly widthPx: number;
  readonly labelCount: number;
}

/**
 * Reads a Keras file (`.keras`, `.h5`), or a `model.json` of TensorFlow.js with its weight
 * files beside it, or their folder, and makes the graph that is served of it.
 *
 * Throws `option_invalid` for a layer that is not supported or a file that is not sound.
 */
export async function readForeignModel(path: string): Promise<ForeignModel> {
  const { isKerasFile, readKeras, readTfjs } = await import('../interchange/index.js');
  const { buildInference, planNetwork } = await import('../graph/index.js');
  const file = (await stat(path)).isDirectory() ? join(path, 'model.json') : path;
  const bytes = await readFile(file);
  try {
    const { network, parameters } = isKerasFile(bytes)
      ? await readKeras(bytes)
      : await readTfjs(bytes.toString('utf8'), (name) => readFile(join(dirname(file), name)));
    const [channelCount, heightPx, widthPx] = network.inputShape;
    const { labelCount } = planNetwork(network);
    const onnx = buildInference(network, parameters);
    return { onnx, channelCount, heightPx, widthPx, labelCount };
  } catch (thrown) {
    if (!(thrown instanceof DomainError)) throw thrown;
    throw new DomainError(thrown.code, `${basename(file)}: ${thrown.message}`, { cause: thrown });
  }
}
