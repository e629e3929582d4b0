import type { EpochScores } from './run.js';

/** What an epoch lacks that was scored before there were these. */
const unscored = {
  trainingMacroF1Present: Number.NaN,
  trainingMacroAveragePrecisionPresent: Number.NaN,
  validationMacroF1Present: Number.NaN,
  validationMacroAveragePrecisionPresent: Number.NaN,
} as const satisfies Partial<EpochScores>;

/** Scores as they were kept as JSON, which writes NaN as null, by this version or an earlier one. */
export function completeScores(kept: object): EpochScores {
  const fields = Object.entries({ ...unscored, ...kept });
  const filled: unknown = Object.fromEntries(
    fields.map(([key, value]) => [key, value ?? Number.NaN]),
  );
  return filled as EpochScores; // what we wrote, with the gaps filled
}
