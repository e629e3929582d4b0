import { type Config, type ConfigInput, parseConfig } from '../config.js';
import { UsageError } from './failure.js';

/** The settings of this command: its options, then the environment, then the defaults. */
export function readConfig(given: ConfigInput): Config {
  const parsed = parseConfig(given, process.env);
  if ('faults' in parsed) throw new UsageError(parsed.faults.join('; '));
  return parsed.value;
}
