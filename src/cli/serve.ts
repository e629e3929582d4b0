import type { ConfigInput } from '../config.js';
import { configFields, settingText } from '../config.js';
import { createCommand, example, type Verb } from './command.js';
import { readConfig } from './config.js';
import { flags } from './flags.js';

/** `serve`: answers frames until it is told to stop. Every setting of the server is an option. */
export const serveVerb: Verb = (terminal) => {
  const command = createCommand('serve', 'serve the live versions of all models over gRPC')
    .option(flags.models, flags.modelsHelp)
    .option(flags.runs, flags.runsHelp);
  for (const field of configFields) {
    if (field.name === 'modelsDir' || field.name === 'runsDir') continue;
    const word = field.name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const initial = settingText(field.default) || 'none';
    command.option(`--${word} <value>`, `${field.description} (default: ${initial})`);
  }
  return command
    .option('--json', 'print the ports as JSON once it serves, for a script')
    .addHelpText(
      'after',
      `${example('serve --models models --port 50051 --http-port 9464')}
Each option is also read from the environment: --http-port from CYTOSTREAM_HTTP_PORT.
SIGTERM, SIGHUP and Ctrl-C drain: open calls are finished, new ones refused, then it ends.
`,
    )
    .action(async (options) => {
      const { models, runs, json, ...rest } = options;
      const config = readConfig({ ...(rest as ConfigInput), modelsDir: models, runsDir: runs });
      const { relaxCollector, startServer } = await import('../server.js');
      relaxCollector();
      // Taken over before the start, so that a stop during it is no abrupt end.
      using interruption = terminal.interruption((signal) =>
        terminal.note(`draining after ${signal}; once more ends at once`),
      );
      const server = await startServer(config);
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
      await aborted(interruption.signal);
      await server.drain();
      terminal.note('drained');
    });
};

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
