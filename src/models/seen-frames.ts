import { z } from 'zod';
import { DomainError } from '../errors.js';
import type { Manifest } from './model.js';
import type { ModelStore } from './model-store.js';

/** The frames that a version has met, by what `frameKeys` of the datasets knows them by. */
export interface SeenFrames {
  /** Its weights are trained on them, or those of a version that it began with. */
  readonly training: readonly string[];
  /** They chose its epoch, temperature and thresholds. */
  readonly validation: readonly string[];
  /** They lay beside those and took part in nothing. */
  readonly heldOut: readonly string[];
  /** Whether it began with a version that keeps no such list. */
  readonly isParentUnknown: boolean;
}

const keys = z.array(z.string());
const schema = z.strictObject({
  training: keys,
  validation: keys,
  heldOut: keys,
  isParentUnknown: z.boolean(),
});

/** Reads `frames.json` of a version. Throws `model_failed` for one that is none. */
export function parseSeenFrames(text: string, what: string): SeenFrames {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const message = `${what}: frames.json is no list of frames`;
    throw new DomainError('model_failed', message, { cause });
  }
}

/** What a version has met; null where it keeps no list: imported, or published before there was one. */
export async function readSeenFrames(
  manifest: Manifest,
  store: Pick<ModelStore, 'readFile'>,
): Promise<SeenFrames | null> {
  if (manifest.files['frames.json'] === undefined) return null;
  const bytes = await store.readFile(manifest, 'frames.json');
  const what = `${manifest.name}@${manifest.version}`;
  return parseSeenFrames(Buffer.from(bytes).toString('utf8'), what);
}

/**
 * What a version has met that began with the weights of another: that one's frames are its own,
 * and a frame is what it was at its worst: trained on before it chose thresholds, and either
 * before it was held out.
 */
export function withParentsFrames(own: SeenFrames, parent: SeenFrames | null): SeenFrames {
  if (parent === null) return { ...own, isParentUnknown: true };
  const training = new Set([...own.training, ...parent.training]);
  const validation = new Set([...own.validation, ...parent.validation]);
  return {
    training: [...training],
    validation: [...validation].filter((key) => !training.has(key)),
    heldOut: own.heldOut.filter((key) => !training.has(key) && !validation.has(key)),
    isParentUnknown: parent.isParentUnknown,
  };
}
