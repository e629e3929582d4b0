import { readFile } from 'node:fs/promises';
import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { UsageError } from './failure.js';

/** What a model is fed with, in pixels. */
export interface InputSize {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** The largest edge that a model may be made for, as of the largest frame. */
const maxEdgePx = 4096;

/** "128" (its edge) or "160x120" (width, height). */
export function inputSize(text: string): InputSize {
  const [, width = '', height = width] = /^(\d{1,4})(?:x(\d{1,4}))?$/.exec(text) ?? [];
  const size = { widthPx: Number(width), heightPx: Number(height) };
  if (Object.values(size).every((edge) => edge >= 1 && edge <= maxEdgePx)) return size;
  throw new InvalidArgumentError(
    `Expected WIDTHxHEIGHT or an edge, from 1 to ${maxEdgePx} pixels.`,
  );
}

/** `--channels`: roles in the order of the model's input. */
export const channelList = (text: string): readonly string[] =>
  text.split(',').map((name) => name.trim());

/** Words that several verbs share for a model's input and labels. */
export const inputFlags = {
  size: '--size <pixels>',
  channels: '--channels <names>',
  channelsHelp: 'channel roles in order, with commas (default: those of the HPA)',
  labels: '--labels <file>',
  labelsHelp: 'a label name a line, in order; without it the 28 of the HPA',
} as const;

/** `--resize`; bilinear, where it is not given. */
export const resizeOption = () =>
  new Option('--resize <rule>', 'how frames come to the size (default: bilinear)').choices([
    'bilinear',
    'area',
  ] as const);

/** Reads `--labels`: a name a line, empty lines aside. Throws a `UsageError` for a file that cannot be read or has none. */
export async function readLabelFile(path: string): Promise<readonly string[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`--labels: cannot read ${path}: ${error.code ?? 'unknown'}`);
  });
  const names = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  // No names would pass for none given, which stands for those of the Atlas.
  if (names.length === 0)
    throw new UsageError(`--labels: expected a name a line, ${path} is empty`);
  return names;
}
