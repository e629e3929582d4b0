import { resolve } from 'node:path';
import { DomainError } from '../errors.js';
import type { OpenRunSpec } from '../training/index.js';
import { Exit, UsageError } from './failure.js';
import { type FollowedRun, followRun, formatScore } from './follow-run.js';
import { optionOf } from './format-run.js';
import { withParts } from './in-place.js';
import { interruptedExitCode } from './interruption.js';
import type { Terminal } from './terminal.js';

/** A training that was asked for. */
export interface RunRequest {
  readonly spec: OpenRunSpec;
  readonly runId: string | undefined;
  readonly json: boolean;
}

/** What is to be trained, on a dataset of this machine. Throws a `UsageError` that names the options. */
export async function readSpec(spec: OpenRunSpec): Promise<OpenRunSpec> {
  const { parseRunSpec } = await import('../training/index.js');
  const parsed = parseRunSpec({ ...spec, dataPath: resolve(spec.dataPath) });
  if ('value' in parsed) return parsed.value;
  // A fault begins with the setting's name: "model: expected ...", "inputSpec.channels.0: ...".
  const named = parsed.faults.map((fault) =>
    fault.replace(
      /^(?:inputSpec\.)?([A-Za-z]+)[.\d]*(?=: )/,
      (_, name: string) => `--${optionOf(name)}`,
    ),
  );
  throw new UsageError([...new Set(named)].join('; '));
}

/** Trains in this process's folders; Ctrl-C ends the run after the step it is in. */
export async function trainInPlace(
  request: RunRequest,
  folders: { readonly models?: string | undefined; readonly runs?: string | undefined },
  terminal: Terminal,
): Promise<void> {
  const spec = await readSpec(request.spec);
  await withParts(folders, async ({ store, trainer }) => {
    const isFirst = (await store.aliases(spec.model)).live === undefined;
    const run = await trainer.start({ ...spec, promote: spec.promote || isFirst }, request.runId);
    using interruption = terminal.interruption(() => {
      terminal.note('stopping after this step; press Ctrl-C again to leave at once');
      trainer.stop(run.id).catch((error: unknown) => terminal.note(String(error)));
    });
    // The interruption asks the run to stop; its events are followed to their end.
    const events = trainer.watch(run.id, 1, new AbortController().signal);
    const end = await followRun(events, { json: request.json }, terminal);
    const { live } = await store.aliases(request.spec.model);
    const isLive = live !== undefined && live === end?.published?.version;
    conclude(end, { ...request, isLive, server: undefined }, terminal);
    // A run that came to its own end before it heard is no interrupted one.
    if (end?.state === 'stopped' && interruption.received !== null) {
      throw new Exit(interruptedExitCode.SIGINT);
    }
  });
}

/** Asks a server to train and follows the run; Ctrl-C leaves it going. */
export async function trainOnServer(
  request: RunRequest,
  server: string,
  terminal: Terminal,
): Promise<void> {
  const { connect } = await import('../client/index.js');
  const client = connect(server);
  try {
    const isFirst = await client
      .getModel(request.spec.model)
      .then(() => false)
      .catch((error: unknown) => {
        if (DomainError.from(error).code === 'model_unknown') return true;
        throw error;
      });
    const promote = request.spec.promote || isFirst;
    using interruption = terminal.interruption();
    let runId = request.runId ?? '';
    const events = client.train(
      { ...request.spec, promote },
      {
        signal: interruption.signal,
        ...(request.runId === undefined ? {} : { runId: request.runId }),
      },
    );
    const onStarted = (id: string) => {
      runId = id;
    };
    try {
      const end = await followRun(events, { json: request.json, onStarted }, terminal);
      const live = end?.published ? await client.getModel(request.spec.model) : null;
      const isLive = live !== null && live.version === end?.published?.version;
      conclude(end, { ...request, isLive, server }, terminal);
    } catch (error) {
      if (interruption.received === null) throw error;
      terminal.note(
        runId === ''
          ? `if the run has begun, it goes on; see: npx cytostream runs list --server ${server}`
          : `the run goes on; watch it with: npx cytostream runs watch ${runId} --server ${server}`,
      );
      throw new Exit(interruptedExitCode.SIGINT);
    }
  } finally {
    client.close();
  }
}

/** Says what came of it and what to do next. */
function conclude(
  end: FollowedRun | null,
  about: { readonly json: boolean; readonly isLive: boolean; readonly server: string | undefined },
  terminal: Terminal,
): void {
  if (end === null) {
    throw new DomainError('not_ready', 'the events ended before the run did; see: runs list');
  }
  if (end.state === 'failed') throw new DomainError('internal', `the run failed: ${end.reason}`);
  if (about.json) return;
  const say = (line: string) => terminal.print(line);
  const where = about.server === undefined ? '' : ` --server ${about.server}`;
  say(end.reason);
  if (end.state === 'stopped') {
    say(`go on where it stopped with: npx cytostream runs resume ${end.runId}${where}`);
  }
  if (end.published === null) {
    say('nothing was published: the run ended before its first epoch did');
    return;
  }
  const ref = `${end.published.model}@${end.published.version}`;
  const scores =
    end.best === null
      ? ''
      : `: macro F1, labels present ${formatScore(end.best.validationMacroF1Present)}, ` +
        `binary accuracy ${end.best.validationAccuracy.toFixed(4)} ` +
        `(answering "no" to everything: ${end.best.alwaysNoAccuracy.toFixed(4)})`;
  say(`trained ${ref}${scores}`);
  if (!about.isLive) {
    say(`make it live with: npx cytostream models promote ${ref}${where}`);
  } else if (about.server === undefined) {
    say(`${ref} is live; serve it with: npx cytostream serve`);
  } else {
    say(`${ref} is live on ${about.server}`);
  }
}
