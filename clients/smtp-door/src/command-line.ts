import { parseArgs } from 'node:util';

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'run'; readonly config: string }
  | { readonly kind: 'check'; readonly config: string; readonly asksRelay: boolean }
  | { readonly kind: 'hash-password'; readonly isNew: boolean }
  | { readonly kind: 'spool'; readonly action: SpoolAction; readonly config: string }
  | { readonly kind: 'help' | 'version' }
  | { readonly kind: 'wrong'; readonly message: string };

export type SpoolAction =
  | { readonly verb: 'list'; readonly json: boolean }
  | { readonly verb: 'retry' | 'remove'; readonly ids: readonly string[] | 'failed' };

export const USAGE = `Usage: smtp-door [command] [--config <file>]

An SMTP server that gives every email it receives to the Graph Mail Relay.

Commands
  (none)                     Runs the door.
  check [--relay]            Checks the configuration, and prints all of its problems. With --relay, also asks the relay
                             whether it accepts the keys. Nothing is sent.
  hash-password [--new]      Reads a password from standard input and prints its hash for the configuration.
                             With --new, makes a password of letters and digits and prints it too.
  spool list [--json]        Shows the emails that wait, and those that failed, with the reason.
  spool retry <id>... | --failed
                             Sends failed emails again: those with these ids, or all.
  spool remove <id>... | --failed
                             Deletes emails of the spool without sending them.

Options
  --config <file>            The configuration. Default: the environment variable SMTP_DOOR_CONFIG.
  --version, --help

While the door runs, SIGHUP reads the certificate and the accounts again, and SIGTERM ends it after its open emails.`;

const OPTIONS = {
  config: { type: 'string' },
  new: { type: 'boolean' },
  json: { type: 'boolean' },
  failed: { type: 'boolean' },
  relay: { type: 'boolean' },
  help: { type: 'boolean' },
  version: { type: 'boolean' },
} as const;

type Options = Readonly<Partial<Record<keyof typeof OPTIONS, string | boolean>>>;

/** The options of each command beside --config. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  run: ['config'],
  check: ['config', 'relay'],
  'hash-password': ['new'],
  'spool list': ['config', 'json'],
  'spool retry': ['config', 'failed'],
  'spool remove': ['config', 'failed'],
};

const wrong = (message: string): Command => ({ kind: 'wrong', message });

/** Reads the arguments after the name of the command. */
export const readCommandLine = (
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Command => {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    return toCommand(values, positionals, env);
  } catch (error) {
    // Node adds advice on arguments that begin with a dash.
    return wrong(((error as Error).message.split('. To specify')[0] ?? '').replace(/\.?$/, '.'));
  }
};

const toCommand = (
  values: Options,
  [first = 'run', ...rest]: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Command => {
  if (values.help) return { kind: 'help' };
  if (values.version) return { kind: 'version' };
  const [verb, ...ids] = rest;
  const name = first === 'spool' ? `spool ${verb ?? ''}`.trim() : first;
  const allowed = OWN[name];
  if (allowed === undefined)
    return wrong(
      first === 'spool'
        ? `Expected spool list, spool retry or spool remove, received ${name}.`
        : `Expected check, hash-password, spool or no command, received ${first}.`,
    );
  const surplus = Object.keys(values).find((option) => !allowed.includes(option));
  if (surplus !== undefined) return wrong(`smtp-door ${name} has no option --${surplus}.`);
  if (name === 'hash-password')
    return rest.length > 0
      ? wrong(
          'Expected the password on standard input, received an argument. Other users of the machine see arguments.',
        )
      : { kind: name, isNew: values.new === true };
  const config = String(values.config ?? env.SMTP_DOOR_CONFIG ?? '');
  if (config === '')
    return wrong('Expected --config <file> or the environment variable SMTP_DOOR_CONFIG, received neither.');
  if (name === 'run' || name === 'check') {
    if (rest.length > 0) return wrong(`Expected nothing after ${name}, received ${rest[0]}.`);
    return name === 'run' ? { kind: name, config } : { kind: name, config, asksRelay: values.relay === true };
  }
  if (verb === 'list')
    return ids.length > 0
      ? wrong(`Expected nothing after spool list, received ${ids[0]}.`)
      : { kind: 'spool', config, action: { verb, json: values.json === true } };
  if (ids.length > 0 === (values.failed === true))
    return wrong(`Expected ids or --failed after ${name}, received ${ids.length > 0 ? 'both' : 'neither'}.`);
  return {
    kind: 'spool',
    config,
    action: { verb: verb as 'retry' | 'remove', ids: values.failed === true ? 'failed' : ids },
  };
};
