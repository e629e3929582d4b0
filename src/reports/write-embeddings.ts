import { stringify } from 'csv-stringify/sync';
import { writeWhole } from '../evaluation/index.js';

/**
 * Writes `Id,e0,e1,…`: what the network's penultimate layer makes of each frame, in this order
 * of frames, with nine significant digits, which bring every float32 back. Frames without
 * one are left out. Throws `storage_failed`.
 */
export function writeEmbeddings(
  path: string,
  ids: readonly string[],
  embeddings: ReadonlyMap<string, Float32Array>,
): Promise<void> {
  const [first = new Float32Array(0)] = embeddings.values();
  const head = ['Id', ...Array.from(first, (_, at) => `e${at}`)];
  const lines = ids.flatMap((id) => {
    const embedding = embeddings.get(id);
    if (embedding === undefined) return [];
    return [[id, ...Array.from(embedding, (value) => String(Number(value.toPrecision(9))))]];
  });
  return writeWhole(path, stringify([head, ...lines]));
}
