import type { HealthReport } from './ask-health.js';

/** What a scenario gets. */
export interface ChaosContext {
  /** Whether it is to be a matter of seconds. */
  readonly isShort: boolean;
  /** A folder of its own, which is removed afterwards. */
  readonly folder: string;
}

/** What became of a scenario, both sides of the account together. */
export interface ScenarioResult {
  readonly name: string;
  /** What was done to the server, in a sentence. */
  readonly what: string;
  /** Frames that the server admitted, by its own count. */
  readonly admitted: number;
  /** How they ended, by its own count. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Frames without an outcome: by the server's count, or of streams that ended well. */
  readonly lost: number;
  readonly doubled: number;
  readonly crossed: number;
  /** null where no server was asked. */
  readonly health: HealthReport | null;
  /** What else is worth telling: counts and times, with their units in the name. */
  readonly facts: Readonly<Record<string, string | number>>;
  /** What of it is worth a place in docs/measured.md; empty where nothing is. */
  readonly seen: string;
  /** Whatever should not be; none is a pass. */
  readonly faults: readonly string[];
  /** Why it could not be done on this machine; null where it was. */
  readonly skipped: string | null;
}

/** What the body of a scenario finds. */
export interface Findings {
  readonly facts?: Readonly<Record<string, string | number>>;
  readonly seen?: string;
  readonly faults?: readonly string[];
}

/** Something bad that happens to a server while it serves. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  run(context: ChaosContext): Promise<ScenarioResult>;
}
