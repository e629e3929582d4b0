import type { Client } from '../client/index.js';
import { type Dataset, type DatasetFrame, readFrame } from '../dataset/index.js';
import { DomainError } from '../errors.js';
import type { ClassifiedDataset, FrameFailure, PredictionRow } from '../evaluation/index.js';
import type { FrameInput } from '../rpc/index.js';
import { type ExplainedDataset, explainedAtOnce } from './write-explained.js';

/**
 * Classifies a dataset on a server: one stream of its frames, in order, at low
 * priority. A frame that gets no prediction is a failure in the answer, named, and
 * the others go on, as they do in place. Explanations are written as they come.
 *
 * Throws what ended the stream, and `internal` when a frame was left without an answer.
 */
export async function streamDataset(
  dataset: Dataset,
  { client, model }: { readonly client: Client; readonly model: string },
  way: {
    readonly signal: AbortSignal;
    readonly onProgress: (done: number, total: number) => void;
    readonly explained?: ExplainedDataset | null;
  },
): Promise<ClassifiedDataset> {
  const { explained = null } = way;
  const { frames } = dataset;
  const waiting = new Map(frames.map((frame) => [frame.id, frame]));
  const rows: PredictionRow[] = [];
  const failures: FrameFailure[] = [];
  const settle = (id: string): DatasetFrame => {
    const frame = waiting.get(id);
    if (frame === undefined) throw new DomainError('internal', `bug: a second answer to "${id}"`);
    waiting.delete(id);
    way.onProgress(frames.length - waiting.size, frames.length);
    return frame;
  };

  async function* readAll(): AsyncGenerator<FrameInput> {
    for (const listed of frames) {
      try {
        yield explained === null
          ? await readFrame(dataset, listed)
          : { ...(await explained.readFrame(listed)), explain: explained.wish };
      } catch (thrown) {
        const { code, message } = DomainError.from(thrown);
        if (code !== 'dataset_invalid' && code !== 'frame_invalid') throw thrown;
        failures.push({ id: settle(listed.id).id, code, message });
      }
    }
  }

  const options = {
    ...({ model, delivery: 'inOrder', priority: 'low' } as const),
    ...(explained === null ? {} : { maxInFlight: explainedAtOnce }),
  };
  for await (const reply of client.classify(options, readAll(), { signal: way.signal })) {
    if (reply.kind !== 'prediction') continue;
    const { frameId, outcome, message, probabilities } = reply.prediction;
    const { id, labelIndices } = settle(frameId);
    if (outcome === 'ok') {
      await explained?.write(reply.prediction);
      rows.push({ id, labelIndices, probabilities: Float32Array.from(probabilities) });
    } else {
      const code = outcome === 'invalid' ? 'frame_invalid' : 'internal';
      failures.push({
        id,
        code,
        message: outcome === 'invalid' ? message : `${outcome}: ${message}`,
      });
    }
  }
  if (waiting.size > 0) {
    throw new DomainError('internal', `${waiting.size} frames were left without an answer`);
  }
  return { rows, failures };
}
