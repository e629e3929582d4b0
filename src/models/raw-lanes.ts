import type { Batcher } from '../batching/index.js';
import type { ResizePlace } from '../engines/index.js';
import { DomainError } from '../errors.js';
import { bytesPerPixel, type Frame, planResize } from '../frames/index.js';
import {
  type LaneCollaborators,
  mostBatchBytes,
  type OpenLane,
  openLane,
  rowBytesOf,
} from './open-lane.js';
import type { RawFormat } from './raw-golden.js';

/** Frames of one size and type on their way, as they came, to a graph that brings them to size. */
export interface RawLane {
  /** Takes the bytes of a frame that stayed raw, and is given back once. */
  readonly batcher: Pick<Batcher, 'submit' | 'assertInTime'>;
  /** `failure`: why the lane is of no use any more, if so. */
  release(failure?: DomainError): void;
}

/** The lanes of one version. */
export interface RawLanes {
  /**
   * Borrows the lane for frames like this one; null where there is none, or none yet: the frame
   * takes the CPU's way, and one may be opened meanwhile.
   */
  laneFor(frame: Frame): RawLane | null;
  /** What waits in them. */
  readonly queued: { readonly frames: number; readonly bytes: number };
  /** "1024 x 1024 uint16 in the graph; 999 x 9 uint8 on the CPU: ..."; empty before any came. */
  readonly note: string;
  /** Ends them, once nothing is lent. */
  close(): Promise<void>;
}

export interface RawLanesOptions {
  readonly place: ResizePlace;
  /** Lanes of one version; each is a session with its weights, and a queue of its own. @default 2 */
  readonly maxLanes?: number;
  /** A lane that nobody used for so long gives way to another size. @default 60 000 ms */
  readonly idleMs?: number;
}

/** Formats that are remembered as refused; beyond it all are forgotten. */
const mostRefusals = 64;

interface Lane extends OpenLane {
  loans: number;
  lastUsedAtMs: number;
}

/**
 * The lanes of a version: a session and a batcher for each format of raw planes.
 *
 * Behaviour: the first frames of a format go by the CPU while its lane is opened: loaded in the
 * version's precision and on its device, its batch sizes run, and the golden frame, spread to
 * that size, answered as by the CPU's way. What fails is logged and stays with the CPU; so do
 * frames for as long as an engine that restarts has their lane not loaded again. There are
 * `maxLanes` at most; the one least used gives way when it was idle for `idleMs`.
 */
export function createRawLanes(
  { place, maxLanes = 2, idleMs = 60_000 }: RawLanesOptions,
  collaborators: LaneCollaborators,
): RawLanes {
  const { manifest, preparer, log } = collaborators;
  const model = `${manifest.name}@${manifest.version}`;
  const { inputSpec } = manifest;
  const lanes = new Map<string, Lane>();
  const opening = new Map<string, Promise<void>>();
  const refusals = new Map<string, string>();
  const closing = new Set<Promise<void>>();
  const hasLanes = place !== 'host' && preparer !== undefined;
  let isClosed = false;

  const refuse = (name: string, reason: string) => {
    if (refusals.size >= mostRefusals) refusals.clear();
    refusals.set(name, reason);
    log.warn({ model, planes: name, reason }, 'raw planes are resized on the CPU');
  };
  const end = (name: string, lane: Lane) => {
    lanes.delete(name);
    const ended = lane.batcher
      .close()
      .then(() => lane.session.close())
      .catch(() => {}) // an engine that is away has nothing left to unload
      .finally(() => closing.delete(ended));
    closing.add(ended);
  };
  /** Whether one more may be opened now; ends the one that nobody uses. */
  const makeRoom = (): boolean => {
    if (lanes.size + opening.size < maxLanes) return true;
    const [least] = [...lanes]
      .filter(([, { loans }]) => loans === 0)
      .sort(([, left], [, right]) => left.lastUsedAtMs - right.lastUsedAtMs);
    if (!least || performance.now() - least[1].lastUsedAtMs < idleMs) return false;
    end(...least);
    return true;
  };
  const open = async (name: string, format: RawFormat): Promise<void> => {
    try {
      const opened = await openLane(format, collaborators);
      const lane: Lane = { ...opened, loans: 0, lastUsedAtMs: performance.now() };
      lanes.set(name, lane);
      if (isClosed) end(name, lane);
      else log.info({ model, planes: name }, 'raw planes are resized in the graph');
    } catch (thrown) {
      const { code, message } = DomainError.from(thrown);
      // An engine that restarts is no fault of the format.
      if (code !== 'not_ready' && !isClosed) refuse(name, message);
    } finally {
      opening.delete(name);
    }
  };

  return {
    laneFor(frame) {
      if (!hasLanes || isClosed) return null;
      const format = formatOf(frame);
      if (format === null) return null;
      const name = nameOf(format);
      const lane = lanes.get(name);
      if (!lane) {
        if (opening.has(name) || refusals.has(name) || !isWorthIt(format)) return null;
        if (makeRoom()) opening.set(name, open(name, format));
        return null;
      }
      // The version itself may be loaded again before its lane, or the lane be refused.
      if (!lane.session.isReady) return null;
      lane.loans += 1;
      let isOut = true;
      return {
        batcher: lane.batcher,
        release(failure) {
          if (!isOut) return;
          isOut = false;
          lane.loans -= 1;
          lane.lastUsedAtMs = performance.now();
          if (failure === undefined || lanes.get(name) !== lane) return;
          refuse(name, failure.message);
          end(name, lane);
        },
      };
    },
    get queued() {
      const all = [...lanes.values()].map(({ batcher }) => batcher);
      return {
        frames: all.reduce((sum, { queuedFrames }) => sum + queuedFrames, 0),
        bytes: all.reduce((sum, { queuedBytes }) => sum + queuedBytes, 0),
      };
    },
    get note() {
      return [
        ...[...lanes.keys()].map((name) => `${name} in the graph`),
        ...[...refusals].map(([name, reason]) => `${name} on the CPU: ${reason}`),
      ].join('; ');
    },
    async close() {
      isClosed = true;
      await Promise.all(opening.values());
      for (const each of [...lanes]) end(...each);
      await Promise.all(closing);
    },
  };

  /** Whether a lane is of use for whole frames of this kind. */
  function isWorthIt(format: RawFormat): boolean {
    const plan = planResize(format, inputSpec);
    const isDone = plan.kind === 'same' && format.pixelType === 'uint8' && format.bits === 8;
    const fits = rowBytesOf(format, inputSpec.channels.length) <= mostBatchBytes;
    const isMean = plan.kind === 'boxes' || plan.kind === 'areas';
    return !isDone && fits && (place === 'graph' || isMean);
  }

  /** What a sound raw frame is made of; null for any other, whose faults the CPU's way tells. */
  function formatOf({ encoding, pixelType, significantBits, ...frame }: Frame): RawFormat | null {
    if (encoding !== 'raw' || pixelType === 'float32') return null;
    const { widthPx, heightPx, planes } = frame;
    const planeBytes = widthPx * heightPx * bytesPerPixel[pixelType];
    const isSound =
      planeBytes > 0 && Number.isInteger(widthPx) && Number.isInteger(significantBits);
    const isWhole =
      planes.length === inputSpec.channels.length &&
      planes.every(({ bytes }) => bytes.byteLength === planeBytes);
    const most = 8 * bytesPerPixel[pixelType];
    if (!isSound || !isWhole || significantBits < 0 || significantBits > most) return null;
    return { widthPx, heightPx, pixelType, bits: significantBits || most };
  }
}

const nameOf = ({ widthPx, heightPx, pixelType, bits }: RawFormat): string => {
  const cut = bits === 8 * bytesPerPixel[pixelType] ? '' : ` of ${bits} bits`;
  return `${widthPx} x ${heightPx} ${pixelType}${cut}`;
};
