import packageJson from '../package.json' with { type: 'json' };

/*
 * The commands for operators in one file, for those who have no clone: see command-file.ts. Each runs when it is imported, and reads its
 * arguments from where Node has them.
 */
const COMMANDS = {
  mail: () => import('./mail.ts'),
  doctor: () => import('./doctor.ts'),
  callers: () => import('./callers.ts'),
} as const;
type Command = keyof typeof COMMANDS;

const isCommand = (word: string | undefined): word is Command =>
  word !== undefined && Object.hasOwn(COMMANDS, word);

/** How this command was called: as a file, or by the name that a package gives it. */
const SELF = /\.mjs$/.test(process.argv[1] ?? '') ? 'node mail-relay.mjs' : 'mail-relay';

/** The commands, and the relay, speak of the scripts of a clone. */
const asHere = (text: unknown): unknown =>
  typeof text === 'string'
    ? text.replaceAll(/\bnpm run (mail|doctor|callers)\b(?: --)?(?= |$|\W)/gm, `${SELF} $1`)
    : text;

const usage = `Usage: ${SELF} mail list [search] | show <id> | replay <id> ... | close <id> ... --note "why"
       ${SELF} doctor [--send-to ADDRESS]
       ${SELF} callers list | show | add | limit | rotate-key | revoke-key | disable | enable | remove | audit

Finds emails and decides on held ones, checks the relay, and says which application can send what.
For all options: ${SELF} mail --help, doctor --help, callers --help.

  MAIL_RELAY_URL         The address of the relay, such as https://func-mail-relay.azurewebsites.net
  MAIL_RELAY_MASTER_KEY  Its master key:
    export MAIL_RELAY_MASTER_KEY=$(az functionapp keys list -g <group> -n <app> --query masterKey -o tsv)

Version ${packageJson.version}.`;

/** JSON is for programs: nothing in it is changed. */
const printAsHere = (): void => {
  const { log, error } = console;
  console.error = (text: unknown) => error(asHere(text));
  if (!process.argv.includes('--json')) console.log = (text: unknown) => log(asHere(text));
};

const [, , command] = process.argv;
if (isCommand(command)) {
  process.argv.splice(2, 1);
  printAsHere();
  void COMMANDS[command]();
} else if (command === '--version') {
  console.log(packageJson.version);
} else if (command === '--help' || command === '-h') {
  console.log(usage);
} else {
  const received = command === undefined ? 'no command' : command;
  console.error(`Expected mail, doctor or callers, received ${received}.\nFor the usage: ${SELF} --help`);
  process.exitCode = 2;
}
