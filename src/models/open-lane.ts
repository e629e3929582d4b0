import { type Batcher, createBatcher, mayGainMore } from '../batching/index.js';
import type { Session, SessionSpec } from '../engines/index.js';
import { DomainError } from '../errors.js';
import { bytesPerPixel, levelsOf, type Preparer, planResize } from '../frames/index.js';
import { distanceTolerance } from './choose-precision.js';
import { goldenToleranceIn, largestDifference } from './golden.js';
import type { LoadCollaborators } from './loaded-version.js';
import type { Manifest } from './model.js';
import { type RawFormat, spreadGolden } from './raw-golden.js';

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
  const row = new Uint8Array(rowBytesOf(format, inputSpec.channels.length));
  for (const [at, { bytes }] of frame.planes.entries()) row.set(bytes, at * bytes.byteLength);
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
    const warmRunMs = new Map<number, number>();
    for (const batchSize of sizesFor(row.byteLength, collaborators.batchSizes)) {
      const check = { row, expected, labelCount: manifest.labels.length };
      const copies = Array.from({ length: session.copies }, () => warm(session, batchSize, check));
      warmRunMs.set(batchSize, Math.min(...(await Promise.all(copies))));
      if (!mayGainMore(warmRunMs)) break;
    }
    const batcher = createBatcher(
      { ...collaborators.batcher, batchSizes: [...warmRunMs.keys()] },
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

/** The sizes that are no larger than a batch may be; where none is, the largest that may be. */
function sizesFor(rowBytes: number, sizes: readonly number[]): readonly number[] {
  const mostRows = Math.floor(mostBatchBytes / rowBytes);
  const fitting = sizes.filter((size) => size <= mostRows);
  return fitting.length > 0 ? fitting : [mostRows];
}

interface WarmCheck {
  readonly row: Uint8Array;
  readonly expected: Pick<Awaited<ReturnType<Session['run']>>, 'probabilities' | 'distances'>;
  readonly labelCount: number;
}

/** Runs the spread golden frame in every row; returns what a run takes, as the version's own. */
async function warm(
  session: Session,
  batchSize: number,
  { row, expected, labelCount }: WarmCheck,
): Promise<number> {
  const input = new Uint8Array(batchSize * row.byteLength);
  for (let at = 0; at < batchSize; at += 1) input.set(row, at * row.byteLength);
  const cold = await session.run(input, batchSize);
  const first = await session.run(cold.input, batchSize);
  const { probabilities, distances, runMs } = await session.run(first.input, batchSize);
  const tolerance = goldenToleranceIn(session.precision);
  const [distance] = expected.distances ?? [];
  for (let at = 0; at < batchSize; at += 1) {
    const output = probabilities.subarray(at * labelCount, (at + 1) * labelCount);
    const { index, difference } = largestDifference(output, expected.probabilities);
    if (difference > tolerance) {
      throw new DomainError(
        'model_failed',
        `resized in the graph its golden frame gave ${output[index]} for label ${index + 1} of ${labelCount} in a batch of ${batchSize}, resized on the CPU ${expected.probabilities[index]}; expected them within ${tolerance}`,
      );
    }
    const away = Math.abs((distances?.[at] ?? Number.NaN) - (distance ?? 0));
    if (distance === undefined || away <= distanceTolerance * Math.max(1, distance)) continue;
    throw new DomainError(
      'model_failed',
      `resized in the graph the distance of its golden frame is ${distances?.[at]}, resized on the CPU ${distance}; expected them within ${100 * distanceTolerance} %`,
    );
  }
  return Math.min(first.runMs, runMs);
}
