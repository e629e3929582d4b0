import { isAbsolute, relative } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import {
  type ConfigField,
  type ConfigInput,
  configFields,
  settingText,
  unknownVariables,
} from '../config.js';
import { createCommand, example, type Verb } from './command.js';
import { readConfig } from './config.js';

/** `serve`: answers frames until it is told to stop. Every setting of the server is an option. */
export const serveVerb: Verb = (terminal) => {
  const command = createCommand('serve', 'serve the live versions of all models over gRPC');
  for (const field of configFields) {
    const { flag, group, description, default: initial, choices } = field;
    const option = new Option(`${flag} <${valueWord(field)}>`, description).helpGroup(`${group}:`);
    // Only told here: what is not given is left to the environment.
    option.defaultValueDescription = toText(initial) || 'none';
    if (choices !== null) option.argChoices = [...choices];
    command.addOption(option);
  }
  return command
    .option('--json', 'print the ports as JSON once it serves, for a script')
    .addHelpText(
      'after',
      `${example('serve --models models --port 50051 --http-port 9464')}
Each setting is also read from the environment: --http-port from
CYTOSTREAM_HTTP_PORT, --models and --runs from CYTOSTREAM_MODELS_DIR and
CYTOSTREAM_RUNS_DIR. SIGTERM, SIGHUP and Ctrl-C drain: open calls are finished,
new ones refused, then it ends.
`,
    )
    .action(async (options) => {
      const { json, models, runs, ...rest } = options as ServeOptions;
      const config = readConfig({ ...rest, modelsDir: models, runsDir: runs });
      for (const name of unknownVariables(process.env)) {
        terminal.note(`${name} is no setting and is not read; serve --help names all`);
      }
      // Taken over before the start, so that a stop during it is no abrupt end.
      using interruption = terminal.interruption((signal) =>
        terminal.note(`draining after ${signal}; once more ends at once`),
      );
      const { signal } = interruption;
      const { relaxCollector, startServer } = await import('../server.js');
      relaxCollector();
      const server = await startServer(config, {}, signal).catch((thrown: unknown) => {
        if (signal.aborted) return null;
        throw thrown;
      });
      if (server === null) {
        terminal.note('stopped before it served');
        endSoon();
        return;
      }
      if (json) {
        terminal.print(JSON.stringify({ port: server.port, httpPort: server.httpPort }));
      } else {
        terminal.print(`serving gRPC on ${config.host}:${server.port}`);
        terminal.print(
          `metrics and health on http://${config.httpHost}:${server.httpPort}/metrics`,
        );
        const live = (await server.parts.registry.list()).filter(({ aliases }) =>
          aliases.includes('live'),
        );
        for (const { manifest, state, device, precision, failure } of live) {
          const where = `on ${device} in ${precision} precision`;
          const what = failure === '' ? `${state} ${where}` : `${state}: ${failure}`;
          terminal.print(`${manifest.name}@${manifest.version} ${what}`);
        }
        if (live.length === 0) {
          terminal.note(
            'no model is live yet; make one with: npx cytostream train --data DIR --model NAME',
          );
        }
      }
      await aborted(signal);
      await server.drain();
      terminal.note('drained');
      endSoon();
    });
};

/** What could not be closed in time may still hold the process. */
function endSoon(): void {
  setTimeout(() => process.exit(), lingerMs).unref();
}

/** What threads and sockets that were closed take to be gone. */
const lingerMs = 200;

type ServeOptions = ConfigInput & { readonly json?: true; models?: string; runs?: string };

/** What a setting's value is, by the last word of its name: "bytes". */
function valueWord({ name, default: initial }: ConfigField): string {
  const last = /[A-Z]?[a-z]+$/.exec(name)?.[0].toLowerCase() ?? '';
  return valueWords[last] ?? (typeof initial === 'number' ? 'number' : 'value');
}

const valueWords: Readonly<Record<string, string>> = {
  bytes: 'bytes',
  ms: 'ms',
  port: 'port',
  host: 'address',
  dir: 'dir',
  data: 'dir',
  roots: 'dirs',
  sizes: 'list',
  cert: 'file',
  key: 'file',
  authorities: 'file',
  remote: 'host:port',
};

/** A default as it would be written here: paths from the working folder; large sizes in MiB as well. */
function toText(value: unknown): string {
  if (typeof value === 'number' && value >= 2 ** 20 && value % 2 ** 20 === 0) {
    return `${value}, that is ${value / 2 ** 20} MiB`;
  }
  const paths = [value].flat().filter((each) => typeof each === 'string' && isAbsolute(each));
  if (paths.length === 0) return settingText(value);
  return paths.map((path) => relative('.', String(path)) || 'the working folder').join(',');
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
