import test from 'ava';
import { runScenario } from '../../bench/chaos/run-scenario.js';
import { scenarios } from '../../bench/chaos/scenarios/index.js';

// One after the other: each has a server and a load of its own.
for (const scenario of scenarios) {
  test.serial(`${scenario.name}: ${scenario.what}`, async (t) => {
    const { lost, doubled, crossed, faults, admitted, skipped } = await runScenario(scenario, {
      isShort: true,
    });
    if (skipped !== null) {
      t.log(`SKIPPED: ${skipped}`);
      t.pass();
      return;
    }
    t.deepEqual(faults, []);
    t.deepEqual({ lost, doubled, crossed }, { lost: 0, doubled: 0, crossed: 0 });
    t.true(admitted > 0, 'nothing was admitted');
  });
}
