import { z } from 'zod';
import { DomainError } from '../errors.js';
import type { Manifest } from './model.js';

const scores = z.strictObject({
  frameCount: z.int().min(0),
  loss: z.number(),
  binaryAccuracy: z.number(),
  alwaysNoAccuracy: z.number(),
  macroF1: z.number(),
  // Absent in versions that were published before they were kept.
  macroF1Present: z.number().nullable().default(null),
  macroAveragePrecisionPresent: z.number().nullable().default(null),
  atThresholds: z
    .strictObject({ binaryAccuracy: z.number(), macroF1: z.number(), macroF1Present: z.number() })
    .nullable()
    .default(null),
});

const calibration = z.strictObject({
  temperature: z.number().gt(0),
  errorBefore: z.number(),
  errorAfter: z.number(),
  frameCount: z.int().min(1),
});

const share = z.number().min(0).max(1);
const explanation = z.strictObject({
  embeddingSize: z.int().min(1),
  heightPx: z.int().min(1),
  widthPx: z.int().min(1),
  box: z.strictObject({ left: share, top: share, right: share, bottom: share }),
});

/** Names and what JSON may hold. */
const words = z.record(z.string(), z.json());

const schema = z.strictObject({
  name: z.string(),
  version: z.int().min(1),
  createdAt: z.iso.datetime(),
  labels: z.array(z.string().min(1)).min(1),
  inputSpec: z.strictObject({
    channels: z.array(z.string().min(1)).min(1),
    widthPx: z.int().min(1),
    heightPx: z.int().min(1),
    resize: z.enum(['bilinear', 'area']),
  }),
  thresholds: z.array(z.number()),
  thresholdsSource: z.string(),
  calibration: calibration.nullable().default(null),
  // Absent in versions that were published before there were distances.
  drift: z
    .strictObject({ threshold: z.number().min(0), source: z.string() })
    .nullable()
    .default(null),
  explanation: explanation.nullable().default(null),
  scores: scores.nullable(),
  runId: z.string().nullable(),
  // Absent in versions that were published before it was kept.
  training: z
    .strictObject({ spec: words, history: z.array(words) })
    .nullable()
    .default(null),
  datasetFingerprint: z.string().nullable(),
  parent: z.string().nullable(),
  files: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)),
  goldenOutput: z.array(z.number()),
});

/** Reads `model.json`. Throws `model_failed` with every fault. */
export function parseManifest(text: string, what: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DomainError('model_failed', `${what}: model.json is not JSON`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new DomainError('model_failed', `${what}: model.json: ${faults.join('; ')}`);
  }
  const manifest = parsed.data;
  const lengths = { thresholds: manifest.thresholds, goldenOutput: manifest.goldenOutput };
  for (const [field, { length }] of Object.entries(lengths)) {
    if (length === manifest.labels.length) continue;
    throw new DomainError(
      'model_failed',
      `${what}: model.json: ${field}: expected one for each of ${manifest.labels.length} labels, got ${length}`,
    );
  }
  return manifest;
}
