import { type Batcher, createBatcher } from '../batching/index.js';
import type { Session, SessionSpec } from '../engines/index.js';
import { DomainError } from '../errors.js';
import { bytesPerPixel, type Frame, levelsOf, type Preparer, planResize } from '../frames/index.js';
import { distanceTolerance } from './choose-precision.js';
import { goldenToleranceIn, largestDifference } from './golden.js';
import type { LoadCollaborators } from './loaded-version.js';
import type { Manifest } from './model.js';
import { type RawFormat, spreadGolden } from './raw-golden.js';
import { checkSizes, type WarmRow, warmSizes } from './warm-sizes.js';

/** The version that lanes are opened for, and those who open them. */
export interface LaneCollaborators
  extends Pick<LoadCollaborators, 'engine' | 'batcher' | 'onDropped' | 'onRan'> {
  readonly manifest: Manifest;
  /** What the version's own session was made from, and that session. */
  readonly spec: SessionSpec;
  readonly session: Session;
  /** The sizes that it is run in. */
  readonly batchSizes: readonly number[];
  readonly golden: Uint8Array;
  /** Resizes as the CPU's way does; without it there are no lanes. */
  readonly preparer: Pick<Preparer, 'prepare'> | undefined;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
}

/** Bytes of a batch: they are stacked on the main thread, and grow fourfold on the device. */
export const mostBatchBytes = 32 * 1024 * 1024;
/** A lane that was checked and warmed. */
export interface OpenLane {
  readonly batcher: Batcher;
  readonly session: Session;
}

/** Bytes of one frame of a format. */
export const rowBytesOf = ({ widthPx, heightPx, pixelType }: RawFormat, channels: number): number =>
  channels * widthPx * heightPx * bytesPerPixel[pixelType];

/** Loads, checks and warms one. Throws why it is of no use. */
export async function openLane(
  format: RawFormat,
  collaborators: LaneCollaborators,
): Promise<OpenLane> {
  const { manifest, engine, spec, session: own, golden, preparer } = collaborators;
  const { onDropped, onRan } = collaborators;
  const { inputSpec } = manifest;
  const { widthPx, heightPx, pixelType, bits } = format;
  const frame = spreadGolden(golden, inputSpec, format);
  const row = rowOf(frame);
  if (!preparer) throw new Error('bug: a lane without anyone to compare it with');
  // Its planes are the preparer's from here on.
  const { pixels } = await preparer.prepare(frame, inputSpec, undefined, { whenFull: 'keep' });
  const expected = await own.run(new Uint8Array(pixels), 1);
  const session = await engine.load({
    ...spec,
    precision: own.precision,
    raw: {
      ...{ widthPx, heightPx, pixelType },
      plan: planResize(format, inputSpec),
      levels: levelsOf(pixelType, bits),
    },
  });
  try {
    if (session.device !== own.device) {
      const elsewhere = `it would run on ${session.device}, not on ${own.device}`;
      throw new DomainError('model_failed', elsewhere);
    }
    const sizes = sizesFor(row.byteLength, collaborators.batchSizes);
    const warmRunMs = await warmSizes(session, sizes, spreadRow(row, expected, session));
    const batchSizes = [...warmRunMs.keys()];
    session.onReload?.((run) => {
      // Spread once more: it may be of many megabytes, and is wanted seldom.
      const again = rowOf(spreadGolden(golden, inputSpec, format));
      return checkSizes(run, batchSizes, spreadRow(again, expected, session));
    });
    const batcher = createBatcher(
      { ...collaborators.batcher, batchSizes },
      {
        run: session.run.bind(session),
        lanes: session.lanes,
        warmRunMs,
        onDropped: (reason) => onDropped?.(manifest, reason),
        onRan: (batchSize, runMs) => onRan?.(manifest, batchSize, runMs),
      },
    );
    return { batcher, session };
  } catch (error) {
    await session.close().catch(() => {});
    throw error;
  }
}

/** Its planes one after the other, as a batch has them. */
function rowOf({ planes }: Frame): Uint8Array {
  const row = new Uint8Array(planes.reduce((sum, { bytes }) => sum + bytes.byteLength, 0));
  let at = 0;
  for (const { bytes } of planes) {
    row.set(bytes, at);
    at += bytes.byteLength;
  }
  return row;
}

/** The sizes that are no larger than a batch may be; where none is, the largest that may be. */
function sizesFor(rowBytes: number, sizes: readonly number[]): readonly number[] {
  const mostRows = Math.floor(mostBatchBytes / rowBytes);
  const fitting = sizes.filter((size) => size <= mostRows);
  return fitting.length > 0 ? fitting : [mostRows];
}

/** Each row of a batch of spread golden frames is held against what the CPU's way gave. */
function spreadRow(
  row: Uint8Array,
  { probabilities: expected, distances }: Awaited<ReturnType<Session['run']>>,
  { precision }: Session,
): WarmRow {
  const tolerance = goldenToleranceIn(precision);
  const { length: labelCount } = expected;
  const away = distances?.[0];
  return {
    row,
    labelCount,
    findFault({ probabilities, distance = Number.NaN }, batchSize) {
      const { index, difference } = largestDifference(probabilities, expected);
      if (difference > tolerance) {
        return `resized in the graph its golden frame gave ${probabilities[index]} for label ${index + 1} of ${labelCount} in a batch of ${batchSize}, resized on the CPU ${expected[index]}; expected them within ${tolerance}`;
      }
      if (away === undefined) return null;
      if (Math.abs(distance - away) <= distanceTolerance * Math.max(1, away)) return null;
      return `resized in the graph the distance of its golden frame is ${distance}, resized on the CPU ${away}; expected them within ${100 * distanceTolerance} %`;
    },
  };
}
