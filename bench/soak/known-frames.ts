import sharp from 'sharp';
import type { Client } from '../../src/client/index.js';
import { type Frame, hpaChannels } from '../../src/frames/index.js';
import { hpaLabels } from '../../src/label-set.js';
import { encodeFrame } from '../raw-client.js';
import { modelName } from './models.js';
import { versionedProbabilities } from './versioned-engine.js';

/** Frames whose answers are known beforehand, each different from all others. */
export interface KnownFrames {
  /** How many contents there are; a frame's content is a number below it. */
  readonly contents: number;
  /** One request, encoded, with an id of `frameId`'s making. */
  encode(id: string, content: number): Buffer;
  /** Whether these are the probabilities of that content by that version. */
  isAnswer(content: number, version: number, probabilities: readonly number[]): boolean;
  /** The same frame, for a client that takes frames. */
  frame(id: string, content: number): Frame;
  /** Its pixels, uint8 `[C, H, W]`, whichever way they are encoded. */
  pixels(content: number): Uint8Array;
}

/** Every so many contents are PNG planes, which go the way over the decoding threads. */
const contentsPerPng = 16;
const idLength = 15;

/** The id of a frame: its stream and its number, always of the same length. */
export function frameId(stream: number, number: number): string {
  return `${String(stream).padStart(4, '0')}-${String(number).padStart(10, '0')}`;
}

/** The number in an id that `frameId` made for that stream; null for any other. */
export function numberOf(id: string, stream: number): number | null {
  return id.length === idLength && Number(id.slice(0, 4)) === stream ? Number(id.slice(5)) : null;
}

interface KnownFramesOptions {
  readonly sizePx: number;
  /** @default 251 */
  readonly contents?: number;
}

/** Frames for the fake engine: their answers are calculated. */
export async function makeKnownFrames(options: KnownFramesOptions): Promise<KnownFrames> {
  const { contents, frameOf, pixelsOf } = await makeContents(options);
  const expected = new Map<number, Float32Array[]>();
  const answersOf = (version: number) => {
    let answers = expected.get(version);
    if (answers === undefined) {
      answers = Array.from({ length: contents }, (_, content) =>
        versionedProbabilities(pixelsOf(content), hpaLabels.length, version),
      );
      expected.set(version, answers);
    }
    return answers;
  };
  return withAnswers({ contents, frameOf, pixelsOf, answersOf, tolerance: 0 });
}

/** Frames for a real model: a server without load is asked what it answers to each. */
export async function learnKnownFrames(
  client: Pick<Client, 'classifyFrame'>,
  { versions, ...options }: KnownFramesOptions & { readonly versions: readonly number[] },
): Promise<KnownFrames> {
  const { contents, frameOf, pixelsOf } = await makeContents(options);
  const expected = new Map<number, readonly number[][]>();
  for (const version of versions) {
    const answers: number[][] = [];
    for (let content = 0; content < contents; content += 1) {
      const { prediction } = await client.classifyFrame(frameOf(frameId(0, content), content), {
        model: `${modelName}@${version}`,
      });
      answers.push([...prediction.probabilities]);
    }
    expected.set(version, answers);
  }
  assertDifferent([...expected.values()].flat());
  const answersOf = (version: number) => expected.get(version) ?? [];
  return withAnswers({ contents, frameOf, pixelsOf, answersOf, tolerance });
}

/** A batch of another size may add the same products in another order. */
const tolerance = 1e-5;

/** An answer that another frame also has would hide a crossing. */
function assertDifferent(answers: readonly (readonly number[])[]): void {
  for (const [index, answer] of answers.entries()) {
    for (const other of answers.slice(index + 1)) {
      if (!isNear(answer, other, 10 * tolerance)) continue;
      throw new Error('bug: two contents have the same answer, a crossing would not be seen');
    }
  }
}

function isNear(got: ArrayLike<number>, wanted: ArrayLike<number>, within: number): boolean {
  if (got.length !== wanted.length) return false;
  for (let label = 0; label < wanted.length; label += 1) {
    // Written so that a NaN is not near.
    if (!(Math.abs((got[label] ?? Number.NaN) - (wanted[label] ?? 0)) <= within)) return false;
  }
  return true;
}

interface Known {
  readonly contents: number;
  readonly frameOf: (id: string, content: number) => Frame;
  readonly pixelsOf: (content: number) => Uint8Array;
  readonly answersOf: (version: number) => readonly ArrayLike<number>[];
  readonly tolerance: number;
}

function withAnswers({
  contents,
  frameOf,
  pixelsOf,
  answersOf,
  tolerance: within,
}: Known): KnownFrames {
  const anyId = '?'.repeat(idLength);
  const templates = Array.from({ length: contents }, (_, content) => {
    const bytes = encodeFrame(frameOf(anyId, content));
    return { bytes, idAt: bytes.indexOf(anyId) };
  });
  return {
    contents,
    frame: frameOf,
    pixels: pixelsOf,
    encode(id, content) {
      const template = templates[content];
      if (template === undefined || id.length !== idLength) {
        throw new Error(`bug: no content ${content}, or no id of a known frame: ${id}`);
      }
      const bytes = Buffer.from(template.bytes);
      bytes.write(id, template.idAt, 'latin1');
      return bytes;
    },
    isAnswer(content, version, probabilities) {
      const wanted = answersOf(version)[content];
      return wanted !== undefined && isNear(probabilities, wanted, within);
    },
  };
}

async function makeContents({ sizePx, contents = 251 }: KnownFramesOptions) {
  const area = sizePx * sizePx;
  const raw = Array.from({ length: contents }, (_, content) =>
    hpaChannels.map((channel, plane) => ({ channel, bytes: planeOf(content, plane, area) })),
  );
  const encoded = await Promise.all(
    raw.map(async (planes, content) => {
      if (content % contentsPerPng !== 0) return null;
      return Promise.all(
        planes.map(async ({ channel, bytes }) => ({ channel, bytes: await toPng(bytes, sizePx) })),
      );
    }),
  );
  return {
    contents,
    pixelsOf: (content: number) => Buffer.concat((raw[content] ?? []).map(({ bytes }) => bytes)),
    frameOf: (id: string, content: number): Frame => ({
      id,
      widthPx: sizePx,
      heightPx: sizePx,
      pixelType: 'uint8',
      significantBits: 0,
      encoding: encoded[content] == null ? 'raw' : 'png',
      planes: encoded[content] ?? raw[content] ?? [],
    }),
  };
}

/** Brightness of its own for each plane of each content, with some noise. */
function planeOf(content: number, plane: number, area: number): Uint8Array {
  let state = Math.imul(content * hpaChannels.length + plane + 1, 2654435761) >>> 0;
  const base = (state >>> 16) % 200;
  return Uint8Array.from({ length: area }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return base + (state >>> 27);
  });
}

function toPng(bytes: Uint8Array, sizePx: number): Promise<Buffer> {
  return sharp(bytes, { raw: { width: sizePx, height: sizePx, channels: 1 } })
    .toColourspace('b-w')
    .png({ compressionLevel: 1 })
    .toBuffer();
}
