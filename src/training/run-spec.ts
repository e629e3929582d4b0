import { z } from 'zod';
import { resolveChannel } from '../frames/index.js';
import { assertModelName, parseModelRef } from '../models/index.js';
import { networks } from './networks/index.js';
import type { OpenRunSpec } from './run.js';

/** A Run's folder is called by its id: a letter or digit first, then also `.`, `_`, `-`. */
const runIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** A fault says what came, as far as it is short. */
const expected =
  (what: string) =>
  ({ input }: { readonly input: unknown }): string => {
    const came = input === undefined ? 'nothing' : (JSON.stringify(input) ?? typeof input);
    return `expected ${what}, got ${came.length > 60 ? `${came.slice(0, 57)}...` : came}`;
  };

function whole(low: number, high: number, initial: number) {
  const error = expected(`a whole number from ${low} to ${high}`);
  return z.int({ error }).min(low, { error }).max(high, { error }).default(initial);
}

function from0(most: number, initial: number) {
  const error = expected(`a number from 0 to ${most}`);
  return z.number({ error }).gte(0, { error }).lte(most, { error }).default(initial);
}

function from0Below1(initial: number) {
  const error = expected('a number from 0, below 1');
  return z.number({ error }).gte(0, { error }).lt(1, { error }).default(initial);
}

function isModelRef(text: string): boolean {
  try {
    parseModelRef(text);
    return true;
  } catch {
    return false;
  }
}

/** As the room of models wants names to be. */
function isModelName(name: string): boolean {
  try {
    assertModelName(name);
    return true;
  } catch {
    return false;
  }
}

/** One of some words, the first unless it is said otherwise. */
function word<const Words extends readonly [string, ...string[]]>(...words: Words) {
  const last = words.at(-1);
  const list = words.length === 1 ? words[0] : `${words.slice(0, -1).join(', ')} or ${last}`;
  return z.enum(words, { error: expected(list) }).default(words[0] as never);
}

function above(low: number, high: number, initial: number) {
  const error = expected(`a number above ${low}, at most ${high}`);
  return z.number({ error }).gt(low, { error }).lte(high, { error }).default(initial);
}

const nameError = expected('a name of a-z, 0-9, ".", "_" and "-", 64 at most');
const knownNetworks = Object.keys(networks);
const rateError = expected('a number above 0');
const clipError = expected('0 or a number above it');
const partError = expected('a number above 0 and below 1');
const pathError = expected('the folder of a dataset');

/** A channel names the files of its planes: it must not lead elsewhere. */
const channelPattern = /^[^/\\\0]{1,64}$/;
const labelPattern = /^.{1,200}$/su;
/** Edge of the largest input, in pixels, as of the largest frame. */
const maxEdgePx = 4096;

const channelsError = expected('up to 64 roles of channels, each once and a part of a file name');
const edgeError = expected(`a whole number of pixels from 1 to ${maxEdgePx}`);
const labelsError = expected('up to 10000 names of labels, each once, of 1 to 200 characters');

/** Names in their order, each as it is read, and once. */
function names(
  pattern: RegExp,
  { most, error, read }: { most: number; error: typeof labelsError; read(name: string): string },
) {
  const name = z.string({ error }).regex(pattern, { error }).overwrite(read);
  return z
    .array(name, { error })
    .max(most, { error })
    .refine((all) => new Set(all).size === all.length, { error });
}

const edge = z
  .int({ error: edgeError })
  .min(1, { error: edgeError })
  .max(maxEdgePx, { error: edgeError });
const resizes = ['bilinear', 'area'] as const;

const inputSpec = z.strictObject({
  channels: names(channelPattern, { most: 64, error: channelsError, read: resolveChannel })
    .min(1, { error: channelsError })
    .optional(),
  widthPx: edge.optional(),
  heightPx: edge.optional(),
  resize: z.enum(resizes, { error: expected(resizes.join(' or ')) }).optional(),
});

const parentError = expected('a version such as "cells", "cells@3" or "cells@candidate", or none');
const freezeError = expected('a list of names of layers');

const schema = z.strictObject({
  dataPath: z.string({ error: pathError }).min(1, { error: pathError }),
  model: z.string({ error: nameError }).refine(isModelName, { error: nameError }),
  inputSpec: inputSpec.default(() => ({})),
  labels: names(labelPattern, { most: 10_000, error: labelsError, read: (name) => name }).default(
    () => [],
  ),
  network: z
    .enum(knownNetworks as [string, ...string[]], {
      error: expected(`a network of ${knownNetworks.join(', ')}`),
    })
    .default('seed-cnn'),
  epochs: whole(1, 100_000, 60),
  batchSize: whole(1, 4096, 128),
  share: above(0, 1, 1),
  trainingPart: z
    .number({ error: partError })
    .gt(0, { error: partError })
    .lt(1, { error: partError })
    .default(0.8),
  heldOut: from0Below1(0),
  split: word('auto', 'first', 'group'),
  seed: whole(0, Number.MAX_SAFE_INTEGER, 1),
  learningRate: z.number({ error: rateError }).gt(0, { error: rateError }).default(1e-3),
  patience: whole(1, 100_000, 6),
  promote: z.boolean({ error: expected('true or false') }).default(false),
  loss: word('bce', 'weighted', 'focal'),
  focalGamma: above(0, 10, 2),
  maxPositiveWeight: above(0, 10_000, 10),
  sampling: word('shuffled', 'balanced'),
  augmentation: word('none', 'cells', 'sizes'),
  engine: word('onnxruntime', 'tensorflow'),
  schedule: word('decay', 'cosine'),
  warmUp: from0Below1(0.05),
  optimiser: word('adam', 'adamw'),
  weightDecay: from0(1, 0.01),
  clipNorm: z.number({ error: clipError }).gte(0, { error: clipError }).default(0),
  emaDecay: from0Below1(0),
  parent: z.string({ error: parentError }).refine(isModelRef, { error: parentError }).default(''),
  freeze: z
    .array(z.string({ error: freezeError }).min(1, { error: freezeError }), { error: freezeError })
    .default(() => []),
});

/**
 * Fills a RunSpec from what a caller gave, or lists every fault: "epochs: expected a
 * whole number from 1 to 100000, got 0". Whether the dataset exists is not looked at, and
 * what a parent may settle stays open: `completeSpec` fills it.
 */
export function parseRunSpec(
  input: unknown,
): { readonly value: OpenRunSpec } | { readonly faults: readonly string[] } {
  const parsed = schema.safeParse(input);
  if (parsed.success) {
    const { parent, freeze } = parsed.data;
    if (freeze.length === 0 || parent !== '') return { value: parsed.data };
    return { faults: ['freeze: expected a parent whose weights are worth keeping, got none'] };
  }
  const faults = parsed.error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') return `unknown: ${issue.keys.join(', ')}`;
    return issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`;
  });
  return { faults: [...new Set(faults)] };
}

/** Whether a text may name a Run: its folder is called so. */
export function isRunId(text: string): boolean {
  return runIdPattern.test(text);
}
