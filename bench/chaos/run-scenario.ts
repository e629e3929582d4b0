import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scenario, ScenarioResult } from './scenario.js';
import { skippedResult } from './with-server.js';

/** Plays a scenario in a folder of its own. What it throws is a fault of it; never rejects. */
export async function runScenario(
  scenario: Scenario,
  { isShort }: { readonly isShort: boolean },
): Promise<ScenarioResult> {
  const folder = await mkdtemp(join(tmpdir(), 'cytostream-chaos-'));
  try {
    return await scenario.run({ isShort, folder });
  } catch (thrown) {
    const { name, what } = scenario;
    const fault = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    return { ...skippedResult({ name, what }, ''), skipped: null, faults: [fault] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** "12,034 admitted: 12,000 ok, 34 shed; 0 lost". */
export function formatResult(result: ScenarioResult): string {
  const { name, admitted, outcomes, lost, doubled, crossed, health, facts, skipped } = result;
  if (skipped !== null) return `${name}: SKIPPED: ${skipped}`;
  const ended = Object.entries(outcomes).map(([outcome, frames]) => `${frames} ${outcome}`);
  const asked =
    health === null
      ? ''
      : `; health asked ${health.asked} times, longest ${health.longestMs.toFixed(0)} ms of them ${health.withoutCoreMs.toFixed(0)} ms without a core (median ${health.medianMs.toFixed(1)} ms)`;
  const more = Object.entries(facts).map(([fact, value]) => `${fact} ${value}`);
  return [
    `${name}: ${admitted} admitted: ${ended.join(', ')}; lost ${lost}, doubled ${doubled}, crossed ${crossed}${asked}`,
    ...(more.length > 0 ? [`  ${more.join('; ')}`] : []),
    ...result.faults.map((fault) => `  FAULT: ${fault}`),
  ].join('\n');
}
