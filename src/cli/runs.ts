import { address, createCommand, example, type Verb } from './command.js';
import { Exit } from './failure.js';
import { flags } from './flags.js';
import { type FollowedRun, followRun } from './follow-run.js';
import { formatRun, formatRuns } from './format-run.js';
import { interruptedExitCode } from './interruption.js';
import { openRunsPlace, type RunsPlace, type RunsPlaceOptions } from './runs-place.js';
import { widthOf } from './terminal.js';

/** `runs`: the trainings of a folder or a server. */
export const runsVerb: Verb = (terminal) => {
  const command = (name: string, description: string) =>
    createCommand(name, description)
      .option(flags.runs, flags.runsHelp)
      .option(flags.server, flags.serverHelp, address)
      .option(flags.json, flags.jsonHelp);

  const list = command('list', 'every run, the newest first')
    .addHelpText('after', example('runs list', 'runs list --server localhost:50051'))
    .action((options) =>
      inPlace(options, async (place) => {
        const runs = [...(await place.list())].sort((a, b) => b.startedAtMs - a.startedAtMs);
        if (options.json) terminal.print(JSON.stringify(runs));
        else if (runs.length === 0) {
          terminal.note(
            'no runs yet; start one with: npx cytostream train --data DIR --model NAME',
          );
        } else terminal.print(formatRuns(runs, widthOf(terminal)));
      }),
    );

  const show = command('show', 'one run: its settings, its epochs, what it published')
    .argument('<run>', 'its id')
    .addHelpText('after', example('runs show RUN --json'))
    .action((runId, options) =>
      inPlace(options, async (place) => {
        const run = await place.get(runId);
        terminal.print(options.json ? JSON.stringify(run) : formatRun(run, widthOf(terminal)));
      }),
    );

  const watch = command('watch', 'follow a run until it ends; leaving does not stop it')
    .argument('<run>', 'its id')
    .addHelpText('after', example('runs watch RUN --server localhost:50051'))
    .action((runId, options) =>
      inPlace(options, async (place) => {
        using interruption = terminal.interruption();
        const events = place.watch(runId, interruption.signal);
        const end = await followRun(events, { json: options.json === true }, terminal);
        if (end === null) return;
        if (!options.json) terminal.print(end.reason);
        if (end.state === 'failed') throw new Exit(1);
      }),
    );

  const stop = command('stop', 'end a run after the step it is in; its best weights are kept')
    .argument('<run>', 'its id')
    .addHelpText('after', example('runs stop RUN'))
    .action((runId, options) =>
      inPlace(options, async (place) => {
        const run = await place.stop(runId);
        if (options.json) terminal.print(JSON.stringify(run));
        else
          terminal.print(
            `run ${run.id} was asked to stop; follow it with: npx cytostream runs watch ${run.id}`,
          );
      }),
    );

  const resume = command('resume', 'take up a run that failed or was stopped, from its checkpoint')
    .argument('<run>', 'its id')
    .option(flags.models, flags.modelsHelp)
    .addHelpText('after', example('runs resume RUN', 'runs resume RUN --server localhost:50051'))
    .action((runId, options) =>
      inPlace(options, async (place) => {
        using interruption = terminal.interruption(() => {
          if (options.server === undefined) terminal.note('stopping after this step');
        });
        const events = place.resume(runId, interruption.signal);
        const end = await followRun(events, { json: options.json === true }, terminal);
        if (end === null) return;
        if (!options.json) terminal.print(describeEnd(end));
        if (end.state === 'failed') throw new Exit(1);
        if (end.state === 'stopped' && interruption.received !== null) {
          throw new Exit(interruptedExitCode.SIGINT);
        }
      }),
    );

  return createCommand('runs', 'list, show, watch, stop and resume trainings')
    .addCommand(list)
    .addCommand(show)
    .addCommand(watch)
    .addCommand(stop)
    .addCommand(resume)
    .addHelpText('after', example('runs list', 'runs watch RUN --server localhost:50051'));
};

function describeEnd({ reason, published }: FollowedRun): string {
  const version = published === null ? '' : `; published ${published.model}@${published.version}`;
  return `${reason}${version}`;
}

async function inPlace(
  options: RunsPlaceOptions,
  use: (place: RunsPlace) => Promise<void>,
): Promise<void> {
  const place = await openRunsPlace(options);
  try {
    await use(place);
  } finally {
    await place.close();
  }
}
