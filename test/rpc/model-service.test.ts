import test from 'ava';
import { DomainError } from '../../src/errors.js';
import type { ModelAdmin, ModelDescription, ModelDraft } from '../../src/rpc/index.js';
import { inputSpec, openTestPort } from './fakes.js';

const model: ModelDescription = {
  name: 'cells',
  version: 1,
  state: 'ready',
  aliases: ['live'],
  labels: ['a', 'b'],
  thresholds: [0.5, 0.5],
  thresholdsSource: 'default 0.5',
  calibration: null,
  parent: '',
  explains: true,
  drift: { threshold: 1.5, source: '99 % of 40 validation frames are nearer' },
  inputSpec,
  scores: null,
  createdAtMs: 1000,
  runId: '',
  training: null,
  datasetFingerprint: '',
  sha256: 'aa',
  device: 'test/cpu',
  precision: 'full',
  precisionNote: 'a weight is too large',
  resizeNote: '',
  failure: '',
};

function createTestModels() {
  const asked: unknown[] = [];
  const drafts: ModelDraft[] = [];
  const models: ModelAdmin = {
    list: async () => [model, { ...model, version: 2, state: 'stored' }],
    async describe(ref) {
      if (ref !== 'cells') throw new DomainError('model_unknown', `no model "${ref}"`);
      return model;
    },
    async promote(name, version) {
      asked.push(['promote', name, version]);
      return { ...model, version };
    },
    async rollback(name) {
      asked.push(['rollback', name]);
      return model;
    },
    async import(draft) {
      drafts.push(draft);
      return { ...model, version: 3 };
    },
  };
  return { models, asked, drafts };
}

test('models are listed, described, promoted and rolled back', async (t) => {
  const { models, asked } = createTestModels();
  const { client } = await openTestPort(t, { models });
  t.deepEqual(
    (await client.listModels()).map(({ version, state }) => [version, state]),
    [
      [1, 'ready'],
      [2, 'stored'],
    ],
  );
  t.deepEqual(await client.getModel('cells'), model);
  t.is((await client.promote('cells', 2)).version, 2);
  t.is((await client.rollback('cells')).version, 1);
  t.deepEqual(asked, [
    ['promote', 'cells', 2],
    ['rollback', 'cells'],
  ]);
});

test('an unknown model is model_unknown, version 0 is option_invalid', async (t) => {
  const { client } = await openTestPort(t, { models: createTestModels().models });
  const unknown = await t.throwsAsync(client.getModel('x'), { instanceOf: DomainError });
  t.is(unknown.code, 'model_unknown');
  const zero = await t.throwsAsync(client.promote('cells', 0), { instanceOf: DomainError });
  t.is(zero.code, 'option_invalid');
});

test('an import arrives whole, its thresholds filled in', async (t) => {
  const { models, drafts } = createTestModels();
  const { client } = await openTestPort(t, { models });
  const onnx = new Uint8Array([8, 9, 10]);
  t.is((await client.importModel({ name: 'own', onnx, labels: ['a', 'b'], inputSpec })).version, 3);
  t.like(drafts[0], { name: 'own', labels: ['a', 'b'], thresholds: [0.5, 0.5], inputSpec });
  t.deepEqual([...(drafts[0]?.onnx ?? [])], [8, 9, 10]);
  // What is not said is not sent as a number.
  t.like(drafts[0], { scaling: {}, logits: false });
  const scaling = { scale: 1, mean: [0.5], std: [0.25, 0.5] };
  const draft = { name: 'own', onnx, labels: ['a', 'b'], inputSpec, scaling, logits: true };
  await client.importModel({ ...draft, inputSpec: { ...inputSpec, widthPx: 0, heightPx: 0 } });
  t.like(drafts[1], { scaling, logits: true, inputSpec: { widthPx: 0, heightPx: 0 } });
});

test('an import with faults lists all of them', async (t) => {
  const { client } = await openTestPort(t, { models: createTestModels().models });
  const draft = { name: '', onnx: new Uint8Array(), labels: [], inputSpec };
  const error = await t.throwsAsync(client.importModel(draft), { instanceOf: DomainError });
  t.is(error.code, 'option_invalid');
  t.regex(error.message, /name: .*; onnx: .*; labels: /);
});
