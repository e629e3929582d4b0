import { isDeepStrictEqual } from 'node:util';
import { DomainError } from '../errors.js';
import { hpaChannels, type InputSpec } from '../frames/index.js';
import { hpaLabels, type LabelSet } from '../label-set.js';
import type { OpenRunSpec, RunSpec } from './run.js';

/** What networks are trained on and served with where nothing else is said. */
export const defaultInputSpec: InputSpec = Object.freeze({
  channels: hpaChannels,
  widthPx: 128,
  heightPx: 128,
  resize: 'bilinear',
});

/** What a version says of the frames that it takes and the labels that it gives. */
export interface InputOfParent {
  /** "cells@3". */
  readonly ref: string;
  readonly inputSpec: InputSpec;
  readonly labels: LabelSet;
}

/**
 * Settles what a spec leaves open: as the parent has it, else as the frames and labels of
 * the Human Protein Atlas. Labels may be others than the parent's, its input may not: its
 * weights mean that one.
 *
 * Throws `option_invalid` that says both where the spec asks for another input.
 */
export function completeSpec(spec: OpenRunSpec, parent: InputOfParent | null): RunSpec {
  const base = parent?.inputSpec ?? defaultInputSpec;
  const asked = spec.inputSpec;
  const inputSpec = {
    channels: asked.channels ?? base.channels,
    widthPx: asked.widthPx ?? base.widthPx,
    heightPx: asked.heightPx ?? base.heightPx,
    resize: asked.resize ?? base.resize,
  };
  if (parent && !isDeepStrictEqual(inputSpec, base)) {
    throw new DomainError(
      'option_invalid',
      `inputSpec: expected that of the parent ${parent.ref}, ${describeInput(base)}, got ${describeInput(inputSpec)}`,
    );
  }
  const labels = spec.labels.length > 0 ? spec.labels : (parent?.labels ?? hpaLabels);
  return { ...spec, inputSpec, labels };
}

/** "128x128 px of nucleus, protein, bilinear". */
export function describeInput({ channels, widthPx, heightPx, resize }: InputSpec): string {
  return `${widthPx}x${heightPx} px of ${channels.join(', ')}, ${resize}`;
}
