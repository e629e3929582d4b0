import { join } from 'node:path';
import type { ConfigInput } from '../../src/config.js';
import { type LaunchedServer, launchPuppet, launchServe } from '../soak/launch.js';
import { type ModelKind, publishVersions } from '../soak/models.js';
import type { ServerProcessSpec } from '../soak/server-process.js';
import { createTally, sum, type Tally } from '../soak/tally.js';
import { type HealthReport, startProber } from './ask-health.js';
import type { ChaosContext, Findings, ScenarioResult } from './scenario.js';

export interface WithServerOptions {
  /** The engine that takes orders, or `serve` as it is shipped. */
  readonly engine: ServerProcessSpec['engine'] | { readonly kind: 'serve' };
  /** Of the published versions. @default 32 */
  readonly sizePx?: number;
  /** @default 1 */
  readonly versions?: number;
  readonly config?: ConfigInput;
  /** See ServeOptions. */
  readonly fileSizeKib?: number;
  /** Lines of level "error" that belong to what is done. @default none do */
  readonly expectedErrors?: RegExp;
  /** Whether health says SERVING all the while. @default true */
  readonly isAlwaysServing?: boolean;
  /**
   * Whether a thread may be within a call for good when the server ends: Node.js before 22.15
   * then has no end but SIGKILL (decision 8). @default false
   */
  readonly mayHoldThreads?: boolean;
}

/**
 * What a health check may take, beside the time without a core: the longest, and all others. A
 * short form is a test, which runs on machines that are busy with others: one collection whose
 * helpers get no core is no fault of the server.
 */
const mostHealthMs = { full: [100, 100], short: [1000, 250] } as const;

/** What the body of a scenario works with. */
export interface Stage {
  readonly server: LaunchedServer;
  readonly tally: Tally;
  /** The folders of the server. */
  readonly modelsDir: string;
  readonly runsDir: string;
  readonly context: ChaosContext;
}

/**
 * Starts a server, asks for its health all the while, lets the body do its worst, drains the
 * server, and closes the account: what the server says it admitted must have as many
 * outcomes, and it must end with exit code 0.
 */
export async function withServer(
  scenario: { readonly name: string; readonly what: string },
  context: ChaosContext,
  options: WithServerOptions,
  body: (stage: Stage) => Promise<Findings>,
): Promise<ScenarioResult> {
  const { engine, sizePx = 32, versions = 1 } = options;
  const modelsDir = join(context.folder, 'models');
  const runsDir = join(context.folder, 'runs');
  const kind: ModelKind = engine.kind === 'fake' ? 'fake' : 'real';
  if (versions > 0) await publishVersions(modelsDir, { kind, sizePx, versions });
  const config = { modelsDir, runsDir, dataRoots: context.folder, ...options.config };
  const server =
    engine.kind === 'serve'
      ? await launchServe({
          config,
          ...(options.fileSizeKib === undefined ? {} : { fileSizeKib: options.fileSizeKib }),
        })
      : await launchPuppet({ engine, config });
  try {
    const prober = await startProber(server);
    const tally = createTally();
    let findings: Findings;
    let health: HealthReport;
    try {
      findings = await body({ server, tally, modelsDir, runsDir, context });
    } finally {
      health = await prober.end();
    }
    const end = await server.stop();
    const { log } = server;
    const lost = Math.max(0, log.admitted - sum(log.outcomes)) + tally.lost;
    const unexpected = log.errors.filter((line) => !options.expectedErrors?.test(line));
    return {
      ...scenario,
      admitted: log.admitted,
      outcomes: Object.fromEntries(log.outcomes),
      lost,
      doubled: tally.doubled,
      crossed: tally.crossed,
      health,
      facts: findings.facts ?? {},
      seen: findings.seen ?? '',
      faults: [
        ...(findings.faults ?? []),
        ...(lost + tally.doubled + tally.crossed > 0 ? ['frames were lost or mixed up'] : []),
        ...(end.exitCode === 0 || (mayBeKilled(options) && end.signal === 'SIGKILL')
          ? []
          : [`the server ended with ${end.exitCode ?? end.signal}`]),
        ...(options.isAlwaysServing !== false && health.failed > 0
          ? [`${health.failed} of ${health.asked} health checks failed`]
          : []),
        ...mostHealthMs[context.isShort ? 'short' : 'full'].flatMap((mostMs, place) => {
          const ownMs = health.longestOwnMs[place] ?? 0;
          return ownMs > mostMs
            ? [`a health check took ${ownMs.toFixed(0)} ms beside the time without a core`]
            : [];
        }),
        ...unexpected.map((line) => `the server logged: ${line}`),
      ],
      skipped: null,
    };
  } finally {
    await server.stop('SIGKILL');
  }
}

/** For a scenario that this machine cannot give. */
export function skippedResult(
  scenario: { readonly name: string; readonly what: string },
  why: string,
): ScenarioResult {
  return {
    ...scenario,
    admitted: 0,
    outcomes: {},
    lost: 0,
    doubled: 0,
    crossed: 0,
    health: null,
    facts: {},
    seen: '',
    faults: [],
    skipped: why,
  };
}

/** Where this Node.js cannot replace a process that has a thread within a call. */
function mayBeKilled({
  mayHoldThreads = false,
}: Pick<WithServerOptions, 'mayHoldThreads'>): boolean {
  return mayHoldThreads && !('execve' in process);
}
