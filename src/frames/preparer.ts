import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { DomainError } from '../errors.js';
import { type Bounds, createGate, toPlace } from '../queue/index.js';
import { workerFlags } from '../worker-flags.js';
import { resolveChannel } from './channels.js';
import type { Frame, InputSpec, PreparedFrame, Preparer, PrepareWish } from './frame.js';
import type { PrepareAnswer, PrepareTask } from './prepare-planes.js';
import { isReady, takeReadyFrame } from './ready-frame.js';
import { packPlanes } from './transfer.js';
import { findFaults } from './validate.js';

export interface PreparerOptions extends Bounds {
  /** Worker threads; 0 takes the default. @default min(4, cores) */
  readonly threads: number;
  /** Frames that may wait for a thread; for one more another is shed, or it is refused with `overloaded`. @default 256 */
  readonly maxQueuedFrames: number;
  /** Bytes of the planes that may wait for a thread; the same happens for one more. @default 512 MiB */
  readonly maxQueuedBytes: number;
  /** Frames of one stream that may wait for a thread; the same happens. @default half of all */
  readonly maxStreamFrames: number;
  /** Bytes of one stream's planes that may wait for a thread; the same happens. @default half of all */
  readonly maxStreamBytes: number;
  /** Pixels of one plane; a larger one is `frame_invalid`, by its header alone. @default 4096 * 4096 */
  readonly maxPixels: number;
}

/**
 * Prepares frames on a pool of worker threads.
 *
 * Behaviour: frames start in FairQueue's order and make room by makeRoom's rule, as they do for
 * the model afterwards: by priority, in turns between streams, by deadline. A raw uint8 frame that already has the
 * model's size is put together at once, without a worker, if it is small. An abort rejects at once;
 * a frame that has not started is then never decoded, one that has is finished and dropped.
 * `close` rejects what waits with `draining`, waits for what runs, and ends the threads.
 *
 * Ownership: the planes' bytes are the Preparer's from the call on. Buffers that a frame's
 * planes cover (over three quarters) are transferred to the worker and read as empty
 * afterwards, or become the tensor; buffers shared with other things are copied and stay whole.
 *
 * Use: one for a process, shared by all models. Not for: frames that are to be prepared
 * twice; make their bytes anew for each call.
 *
 * Errors of `prepare`: `frame_invalid`; `overloaded` at a full queue, or to make room in one; `cancelled` or
 * `deadline` by the signal's reason; `draining` when closed.
 */
export function createPreparer(options: Partial<PreparerOptions> = {}): Preparer {
  const full = fillOptions(options);
  const pool = new Piscina<PrepareTask, PrepareAnswer>({
    filename: fileURLToPath(new URL('./prepare-worker.js', import.meta.url)),
    name: 'prepare',
    minThreads: full.threads,
    maxThreads: full.threads,
    execArgv: [...workerFlags],
  });
  const gate = createGate({
    ...full,
    width: full.threads,
    where: 'waiting to be prepared',
    closedMessage: 'frames are no longer prepared here',
  });

  async function prepare(
    frame: Frame,
    spec: InputSpec,
    signal?: AbortSignal,
    wish: PrepareWish = {},
  ): Promise<PreparedFrame> {
    if (signal?.aborted) throw DomainError.from(signal.reason);
    gate.assertOpen();
    const faults = findFaults(frame, spec, full.maxPixels);
    if (faults.length > 0) throw invalid(faults);
    const planes = inSpecOrder(frame, spec);
    if (isReady(frame, spec)) return takeReadyFrame(planes);
    const byteLength = planes.reduce((sum, plane) => sum + plane.bytes.byteLength, 0);
    const { staysRaw = false, whenFull = 'refuse' } = wish;
    return gate.run({ ...toPlace(wish), byteLength, whenFull }, signal, async () => {
      const shipment = packPlanes(planes);
      const { widthPx, heightPx, pixelType, significantBits, encoding } = frame;
      const task: PrepareTask = {
        frame: { widthPx, heightPx, pixelType, significantBits, encoding },
        spec,
        planes: shipment.planes,
        maxPixels: full.maxPixels,
        staysRaw: staysRaw && encoding === 'raw',
      };
      const answer = await pool.run(task, { transferList: [...shipment.transferList] });
      if ('faults' in answer) throw invalid(answer.faults);
      return answer;
    });
  }

  async function close(): Promise<void> {
    await gate.close();
    await pool.destroy();
  }

  return { prepare, close };
}

function fillOptions(options: Partial<PreparerOptions>): PreparerOptions {
  const threads = options.threads || Math.min(4, availableParallelism());
  const { maxQueuedFrames = 256, maxQueuedBytes = 512 * 1024 * 1024 } = options;
  return {
    threads,
    maxQueuedFrames,
    maxQueuedBytes,
    // Half of the whole: no stream can keep all others out.
    maxStreamFrames: options.maxStreamFrames ?? Math.ceil(maxQueuedFrames / 2),
    maxStreamBytes: options.maxStreamBytes ?? Math.ceil(maxQueuedBytes / 2),
    maxPixels: options.maxPixels ?? 4096 * 4096,
  };
}

/** The planes in the order of the model's input, aliases resolved. */
function inSpecOrder(frame: Frame, spec: InputSpec) {
  return spec.channels.map((channel) => {
    const plane = frame.planes.find((candidate) => resolveChannel(candidate.channel) === channel);
    if (plane === undefined)
      throw new DomainError('internal', 'bug: a checked frame lacks a plane');
    return plane;
  });
}

function invalid(faults: readonly string[]): DomainError {
  return new DomainError('frame_invalid', faults.join('; '));
}
