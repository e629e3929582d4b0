import type { BatchedRow, Batcher } from '../batching/index.js';
import { DomainError } from '../errors.js';
import type { Frame, InputSpec, PreparedFrame } from '../frames/index.js';

/** A graph that takes frames like one as they came. */
export interface RawLane {
  readonly batcher: Pick<Batcher, 'submit' | 'assertInTime'>;
  /** Gives it back; `failure`: why it is of no use any more, if so. */
  release(failure?: DomainError): void;
}

/** What the raw way is made of. */
export interface RawWay {
  readonly prepare: (frame: Frame, staysRaw: boolean) => Promise<PreparedFrame>;
  readonly submit: (
    prepared: PreparedFrame,
    batcher: RawLane['batcher'],
  ) => Promise<PreparedFrame & { readonly row: BatchedRow }>;
  readonly lent: {
    readonly manifest: { readonly inputSpec: InputSpec };
    readonly batcher: RawLane['batcher'];
  };
}

/**
 * Lets a frame be resized in the graph. Where that graph fails, as one may for which the device
 * has no memory left, the same frame goes by the CPU after all, and so do those after it.
 */
export async function submitRaw(
  frame: Frame,
  lane: RawLane,
  { prepare, submit, lent }: RawWay,
): Promise<PreparedFrame & { readonly row: BatchedRow }> {
  let failure: DomainError | undefined;
  try {
    const raw = await prepare(frame, true);
    try {
      return await submit(raw, lane.batcher);
    } catch (thrown) {
      const error = DomainError.from(thrown);
      if (error.code === 'model_failed') failure = error;
      // The lane is being ended, because another frame met its failure.
      else if (error.code !== 'draining') throw error;
      const { channels } = lent.manifest.inputSpec;
      const planeBytes = raw.pixels.byteLength / channels.length;
      const planes = channels.map((channel, at) => {
        const bytes = raw.pixels.subarray(at * planeBytes, (at + 1) * planeBytes);
        return { channel, bytes };
      });
      return await submit(await prepare({ ...frame, planes }, false), lent.batcher);
    }
  } finally {
    lane.release(failure);
  }
}
