import test from 'ava';
import { GraphProto } from '../../src/gen/onnx/onnx.js';
import { lastOperator } from '../../src/graph/last-operator.js';

type Step = readonly [opType: string, input: string[], output: string[]];

const graphOf = (...steps: readonly Step[]): GraphProto =>
  GraphProto.fromPartial({
    node: steps.map(([opType, input, output]) => ({ opType, input, output })),
  });

test('the operator behind changes of shape, type and a bias is found', (t) => {
  const graph = graphOf(
    ['MatMul', ['pixels', 'weights'], ['product']],
    ['Constant', [], ['bias']],
    ['Add', ['bias', 'product'], ['sum']],
    ['Reshape', ['sum', 'shape'], ['flat']],
    ['Cast', ['flat'], ['logits']],
  );
  t.is(lastOperator(graph, 'logits'), 'MatMul');
});

const cycles: Readonly<Record<string, readonly Step[]>> = {
  'a node that reads what it gives': [['Identity', ['x'], ['x']]],
  'two nodes that feed each other': [
    ['Cast', ['y'], ['x']],
    ['Add', ['bias', 'x'], ['y']],
  ],
};
for (const [what, steps] of Object.entries(cycles)) {
  test(`${what}: the graph is refused, not followed for ever`, (t) => {
    t.throws(() => lastOperator(graphOf(...steps), 'x'), {
      code: 'model_failed',
      message: 'the graph feeds itself at "x"',
    });
  });
}

test('what is left out of one node is not what another leaves out', (t) => {
  const graph = graphOf(['MaxPool', ['pixels'], ['', 'places']], ['Identity', [''], ['x']]);
  t.is(lastOperator(graph, 'x'), '');
});
