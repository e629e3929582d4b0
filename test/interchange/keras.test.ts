import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { DomainError } from '../../src/errors.js';
import { readKeras } from '../../src/interchange/index.js';
import { packageRoot } from '../../src/package-root.js';
import { answerOf, furthest } from './trained.js';

const folder = join(packageRoot, 'test/golden/keras');
const answers = JSON.parse(readFileSync(join(folder, 'answers.json'), 'utf8')) as {
  readonly shape: readonly number[];
  readonly pixels: readonly number[];
  readonly probabilities: Readonly<Record<string, readonly number[]>>;
};

for (const [name, expected] of Object.entries(answers.probabilities)) {
  test(`${name} answers here what it answered in Keras`, async (t) => {
    const model = await readKeras(readFileSync(join(folder, name)));
    t.deepEqual(model.network.inputShape, [3, 14, 12]);
    t.deepEqual(
      model.network.layers.map((layer) => ('name' in layer ? layer.name : layer.kind)),
      ['conv1', 'relu', 'conv2', 'relu', 'maxPool', 'conv3', 'relu', 'dropout', 'flatten'].concat([
        'dense1',
        'relu',
        'dropout',
        'dense2',
      ]),
    );
    // Two runtimes add float32 in another order: seen are 2e-7.
    const away = furthest(await answerOf(model, Uint8Array.from(answers.pixels)), expected);
    t.true(away <= 1e-6, `${away}`);
  });
}

test('the answers differ from file to file, or the tests above could not fail', (t) => {
  const all = Object.values(answers.probabilities).map((values) => JSON.stringify(values));
  t.is(new Set(all).size, 6);
});

test('every layer that is not supported is named, with what is', async (t) => {
  const error = await t.throwsAsync(readKeras(readFileSync(join(folder, 'unfit.keras'))), {
    instanceOf: DomainError,
  });
  t.is(error?.code, 'option_invalid');
  t.regex(error?.message ?? '', /layer 1 \(Conv2D "padded"\): padding "same" is not supported/);
  t.regex(error?.message ?? '', /layer 2 \(BatchNormalization "norm"\): is not supported/);
  t.regex(error?.message ?? '', /\(Dense "exclusive"\): activation "softmax" is not supported/);
  t.regex(error?.message ?? '', /; supported: .*Conv2D.*sigmoid at the end$/);
});

for (const name of ['keras3.keras', 'keras2.h5']) {
  test(`a cut or changed ${name} is refused, whatever byte it is`, async (t) => {
    const whole = readFileSync(join(folder, name));
    for (let part = 0; part < 12; part += 1) {
      const cut = whole.subarray(0, Math.floor((whole.length * part) / 12));
      await t.throwsAsync(readKeras(cut), { instanceOf: DomainError, code: 'option_invalid' });
    }
    // A flip in the weights themselves cannot be seen without a checksum; one in the
    // structure is an error of ours, and never a crash.
    for (let at = 0; at < whole.length; at += 97) {
      const changed = Uint8Array.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 0xff;
      await readKeras(changed).catch((error: unknown) => {
        if (!(error instanceof DomainError)) t.fail(`byte ${at}: ${error}`);
      });
    }
    t.pass();
  });
}
