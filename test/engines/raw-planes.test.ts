import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { createOnnxEngine, type Engine } from '../../src/engines/index.js';
import {
  createPreparer,
  type Frame,
  type InputSpec,
  levelsOf,
  planResize,
} from '../../src/frames/index.js';
import { mirrorModel } from './mirror-model.js';

interface Case {
  readonly pixelType: 'uint8' | 'uint16';
  readonly bits: number;
  readonly rule: InputSpec['resize'];
  readonly from: readonly [widthPx: number, heightPx: number];
  readonly to: readonly [widthPx: number, heightPx: number];
}

/** Bytes of noise; of pixels of fewer significant bits, a few lie above white. */
function noise(
  length: number,
  { pixelType, bits }: Pick<Case, 'pixelType' | 'bits'>,
  seed: number,
) {
  let state = seed;
  const bytes = Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
  if (bits === 0) return bytes;
  const pixels = pixelType === 'uint16' ? new Uint16Array(bytes.buffer) : bytes;
  for (const [at, value] of pixels.entries())
    pixels[at] = value & (2 ** (at % 9 === 0 ? bits + 1 : bits) - 1);
  return bytes;
}

const channels = ['protein', 'nucleus'];
const preparer = createPreparer({ threads: 1 });
let engine: Engine;
test.before(async () => {
  engine = await createOnnxEngine({ threads: 1 });
});
test.after.always(() => Promise.all([preparer.close(), engine.close()]));

/** Two frames of noise through the graph, and each on the CPU: the bytes that the network sees. */
async function bothWays(one: Case) {
  const { pixelType, bits, rule, from, to } = one;
  const [widthPx, heightPx] = from;
  const spec: InputSpec = { channels, widthPx: to[0], heightPx: to[1], resize: rule };
  const planeBytes = widthPx * heightPx * (pixelType === 'uint16' ? 2 : 1);
  const batch = noise(2 * channels.length * planeBytes, one, widthPx + heightPx);
  const frameOf = (row: number): Frame => {
    const planes = channels.map((channel, at) => {
      const begin = (row * channels.length + at) * planeBytes;
      return { channel, bytes: batch.slice(begin, begin + planeBytes) };
    });
    const about = { pixelType, significantBits: bits, encoding: 'raw' } as const;
    return { id: '', widthPx, heightPx, ...about, planes };
  };
  // Hundreds wait at once here, of no stream.
  const host = await Promise.all(
    [0, 1].map((row) => preparer.prepare(frameOf(row), spec, undefined, { whenFull: 'keep' })),
  );
  const inputShape = [channels.length, spec.heightPx, spec.widthPx] as const;
  const plan = planResize({ widthPx, heightPx }, spec);
  const levels = levelsOf(pixelType, bits);
  const session = await engine.load({
    model: mirrorModel(inputShape),
    inputShape,
    labelCount: channels.length * spec.heightPx * spec.widthPx,
    raw: { pixelType, widthPx, heightPx, plan, levels },
  });
  const { probabilities } = await session.run(new Uint8Array(batch), 2);
  await session.close();
  const expected = host.flatMap(({ pixels }) => [...pixels]);
  return { graph: [...probabilities], host: expected };
}

async function areEqual(t: ExecutionContext, one: Case): Promise<void> {
  const { graph, host } = await bothWays(one);
  t.is(graph.length, host.length);
  const differing = graph.filter((level, at) => level !== host[at]).length;
  t.is(differing, 0, `${differing} of ${host.length} pixels of ${JSON.stringify(one)}`);
  t.true(new Set(host).size > 1, 'an even frame would be equal however it came');
}

const uint8 = { pixelType: 'uint8', bits: 0 } as const;
const uint16 = { pixelType: 'uint16', bits: 0 } as const;
const sizes: readonly (readonly [what: string, from: Case['from'], to: Case['to']])[] = [
  ['whole boxes', [128, 96], [16, 16]],
  ['boxes of 2 x 2', [64, 64], [32, 32]],
  ['boxes of 16 x 16, the most that 16 bits allow', [256, 256], [16, 16]],
  ['no whole ratio', [100, 70], [32, 32]],
  ['nearly the same size', [33, 31], [32, 32]],
  ['one axis that grows', [40, 20], [32, 32]],
  ['both axes that grow', [9, 13], [32, 32]],
  ['one axis as it is', [32, 77], [32, 32]],
  ['the same size', [32, 32], [32, 32]],
  ['one row', [200, 1], [8, 8]],
];
for (const rule of ['area', 'bilinear'] as const) {
  for (const [what, from, to] of sizes) {
    for (const [name, type] of Object.entries({
      uint8,
      uint16,
      'uint16 of 12 bits': { ...uint16, bits: 12 },
      'uint8 of 5 bits': { ...uint8, bits: 5 },
    })) {
      test(`${rule}, ${name}, ${what}: the graph sees the bytes that the CPU makes`, async (t) => {
        await areEqual(t, { ...type, rule, from, to });
      });
    }
  }
}

test('of any two sizes the graph sees the bytes that the CPU makes', async (t) => {
  const edge = fc.integer({ min: 1, max: 40 });
  const cases = fc
    .record({
      pixelType: fc.constantFrom('uint8', 'uint16'),
      bits: fc.constantFrom(0, 7),
      rule: fc.constantFrom('area', 'bilinear'),
      from: fc.tuple(edge, edge),
      to: fc.tuple(edge, edge),
    })
    // More pixels of 16 bits under one are refused, which has a test of its own below.
    .filter(
      ({ pixelType, from, to }) =>
        pixelType === 'uint8' || from[0] * from[1] <= 256 * to[0] * to[1],
    );
  await fc.assert(
    fc.asyncProperty(cases, async (one) => {
      const { graph, host } = await bothWays(one);
      t.deepEqual(graph, host);
    }),
    { numRuns: 60 },
  );
});

test('what float32 cannot add up, or too many pixels under one, is refused with the reason', async (t) => {
  const inputShape = [1, 8, 8] as const;
  const spec = { channels: ['protein'], widthPx: 8, heightPx: 8, resize: 'area' } as const;
  const load = (widthPx: number, heightPx: number, pixelType: 'uint8' | 'uint16') => {
    const plan = planResize({ widthPx, heightPx }, spec);
    const raw = { pixelType, widthPx, heightPx, plan, levels: levelsOf(pixelType, 0) };
    return engine.load({ model: mirrorModel(inputShape), inputShape, labelCount: 64, raw });
  };
  await t.throwsAsync(load(136, 136, 'uint16'), {
    message: /^expected boxes of uint16 pixels whose sum is below 16777216, got 17 x 17 px$/,
  });
  await t.throwsAsync(load(999, 9, 'uint8'), {
    message: /^expected at most 64 pixels of an axis under one, got 1\d\d$/,
  });
});

test('a batch of other bytes than its rows have is refused', async (t) => {
  const inputShape = [1, 8, 8] as const;
  const raw = {
    pixelType: 'uint16',
    widthPx: 16,
    heightPx: 16,
    levels: levelsOf('uint16', 0),
  } as const;
  const spec = { channels: ['protein'], widthPx: 8, heightPx: 8, resize: 'area' } as const;
  const plan = planResize(raw, spec);
  const model = mirrorModel(inputShape);
  const session = await engine.load({ model, inputShape, labelCount: 64, raw: { ...raw, plan } });
  await t.throwsAsync(session.run(new Uint8Array(64), 1), {
    message: 'expected 512 bytes for 1 frames, got 64',
  });
  await session.close();
});
