import test, { type ExecutionContext } from 'ava';
import type { Engine, Session, SessionSpec } from '../../src/engines/index.js';
import { DomainError } from '../../src/errors.js';

/** An engine as the shared tests need it. */
export interface EngineUnderTest {
  /** In the titles. */
  readonly name: string;
  /** A new engine; the suite closes it. `t` is for what must be closed after it. */
  open(t: ExecutionContext): Promise<Engine>;
  /** Two models of the same input that answer differently. */
  readonly specs: readonly [SessionSpec, SessionSpec];
  /** What model 0 or 1 answers for one frame, uint8 `[C, H, W]`. */
  expected(model: 0 | 1, pixels: Uint8Array): Float32Array | readonly number[];
  /** How far an answer may lie from `expected`, and why it may lie from it at all. */
  readonly tolerance: number;
  /** Specs that are refused, and what is said; none where an engine takes every model. */
  readonly unfit: readonly { readonly spec: SessionSpec; readonly message: RegExp }[];
}

/**
 * What every Engine does, whatever runs the models: the tests of the interface itself.
 * What only one engine does (a crash, a device, a wire) is tested beside that engine.
 */
export function testEngine(engineUnderTest: EngineUnderTest): void {
  const { name, specs, unfit } = engineUnderTest;
  const [spec] = specs;
  const rowBytes = spec.inputShape.reduce((product, size) => product * size, 1);

  const open = async (t: ExecutionContext): Promise<Engine> => {
    const engine = await engineUnderTest.open(t);
    t.teardown(() => engine.close());
    return engine;
  };
  /** Holds each row of an answer against what the model answers for that frame alone. */
  const holds = (
    t: ExecutionContext,
    probabilities: Float32Array,
    frames: readonly Uint8Array[],
    model: 0 | 1 = 0,
  ) => {
    const { labelCount } = specs[model];
    t.is(probabilities.length, frames.length * labelCount);
    for (const [row, frame] of frames.entries()) {
      const expected = engineUnderTest.expected(model, frame);
      for (let label = 0; label < labelCount; label += 1) {
        const got = probabilities[row * labelCount + label] ?? Number.NaN;
        const away = Math.abs(got - (expected[label] ?? Number.NaN));
        const what = `model ${model}, row ${row}, label ${label}: ${got} for ${expected[label]}`;
        if (!(away <= engineUnderTest.tolerance)) t.fail(what);
      }
    }
  };

  test(`${name}: an engine says what it is, a session where it runs`, async (t) => {
    const engine = await open(t);
    t.regex(engine.name, /^[a-z]+$/);
    const session = await engine.load(spec);
    t.true(session.device.startsWith(`${engine.name}/`), session.device);
    t.true(Number.isInteger(session.lanes) && session.lanes >= 1);
    t.true(session.isReady);
  });

  test(`${name}: a frame's answer is the same alone and in any batch`, async (t) => {
    const session = await (await open(t)).load(spec);
    const frames = Array.from({ length: 8 }, (_, seed) => framesOf(rowBytes, seed));
    for (const batchSize of [1, 2, 3, 5, 8]) {
      const batch = frames.slice(0, batchSize);
      const { probabilities, runMs } = await session.run(stacked(batch), batchSize);
      holds(t, probabilities, batch);
      t.true(runMs >= 0);
    }
    const [one, other] = frames.map((frame) => [...engineUnderTest.expected(0, frame)]);
    t.notDeepEqual(one, other, 'the frames differ, or this test could not fail');
  });

  test(`${name}: an input is given away, and its bytes come back with the answer`, async (t) => {
    const session = await (await open(t)).load(spec);
    const frames = [framesOf(rowBytes, 1), framesOf(rowBytes, 2)];
    const given = stacked(frames);
    const running = session.run(given, 2);
    const { input } = await running;
    t.is(given.byteLength, 0, 'given away');
    t.deepEqual(input, stacked(frames));
    t.is(input.buffer.byteLength, input.byteLength, 'over its own buffer');
    holds(t, (await session.run(input, 2)).probabilities, frames);
  });

  test(`${name}: many runs at once get their own answers, each by its own model`, async (t) => {
    const engine = await open(t);
    const sessions = await Promise.all(specs.map((each) => engine.load(each)));
    await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const model = index % 2 === 0 ? 0 : 1;
        const frames = Array.from({ length: 1 + (index % 3) }, (_row, row) =>
          framesOf(rowBytes, index * 8 + row),
        );
        const session = sessions[model] as Session; // as many as models
        const { probabilities } = await session.run(stacked(frames), frames.length);
        holds(t, probabilities, frames, model);
      }),
    );
    const frame = framesOf(rowBytes, 1);
    t.notDeepEqual(
      [...engineUnderTest.expected(0, frame)],
      [...engineUnderTest.expected(1, frame)],
      'the models differ, or this test could not fail',
    );
  });

  test(`${name}: an input of the wrong length is refused, and the next run goes on`, async (t) => {
    const session = await (await open(t)).load(spec);
    for (const byteLength of [0, rowBytes - 1, 2 * rowBytes]) {
      const error = await t.throwsAsync(session.run(new Uint8Array(byteLength), 1), {
        instanceOf: DomainError,
        code: 'model_failed',
      });
      t.is(error?.message, `expected ${rowBytes} bytes for 1 frames, got ${byteLength}`);
    }
    const frame = framesOf(rowBytes, 3);
    holds(t, (await session.run(stacked([frame]), 1)).probabilities, [frame]);
  });

  test(`${name}: a closed session refuses, the others go on`, async (t) => {
    const engine = await open(t);
    const [first, second] = [await engine.load(spec), await engine.load(spec)];
    await first.close();
    await first.close();
    const frame = framesOf(rowBytes, 4);
    await t.throwsAsync(first.run(stacked([frame]), 1), { code: 'not_ready' });
    holds(t, (await second.run(stacked([frame]), 1)).probabilities, [frame]);
  });

  test(`${name}: a closed engine refuses, and every run that was open settles`, async (t) => {
    const engine = await open(t);
    const session = await engine.load(spec);
    const frame = framesOf(rowBytes, 5);
    const runs = Array.from({ length: 6 }, () => session.run(stacked([frame]), 1));
    const settled = Promise.allSettled(runs);
    await engine.close();
    await engine.close();
    for (const run of await settled) {
      if (run.status === 'fulfilled') holds(t, run.value.probabilities, [frame]);
      else t.is(DomainError.from(run.reason).code, 'not_ready');
    }
    await t.throwsAsync(session.run(stacked([frame]), 1), { code: 'not_ready' });
    await t.throwsAsync(engine.load(spec), { code: 'not_ready' });
  });

  for (const [index, { spec: wrong, message }] of unfit.entries()) {
    test(`${name}: a model that does not fit is refused (${index + 1})`, async (t) => {
      const engine = await open(t);
      const error = await t.throwsAsync(engine.load(wrong), { instanceOf: DomainError, message });
      t.is(error?.code, 'model_failed');
      t.notRegex(error?.message ?? '', /\/\w/, 'no path');
      // And it takes the next one.
      const frame = framesOf(rowBytes, 6);
      const session = await engine.load(spec);
      holds(t, (await session.run(stacked([frame]), 1)).probabilities, [frame]);
    });
  }
}

/** One frame; another for each seed, dark ones and bright ones. */
function framesOf(byteLength: number, seed: number): Uint8Array {
  let state = seed + 1;
  const brightest = 32 + ((seed * 37) % 224);
  return Uint8Array.from({ length: byteLength }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 24) % brightest;
  });
}

function stacked(frames: readonly Uint8Array[]): Uint8Array {
  const rowBytes = frames[0]?.length ?? 0;
  const input = new Uint8Array(frames.length * rowBytes);
  for (const [row, frame] of frames.entries()) input.set(frame, row * rowBytes);
  return input;
}
