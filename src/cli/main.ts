#!/usr/bin/env node
/** The `parablock` command: its subcommands, and how it ends. */
import { Command, CommanderError } from "commander";
import { requireSensibleLine } from "./command-line.js";
import { addCommands } from "./commands.js";
import { describeError, exitCodeOf } from "./failure.js";
import { examples } from "./options.js";
import { errorOutput, printNow } from "./print.js";

/** Put in by the build. */
declare const PARABLOCK_VERSION: string;

const program = new Command("parablock");
let debug = false;

async function build(): Promise<void> {
  program
    .description("Parallels disk images: make them, look into them, convert, compare and check them.")
    .version(PARABLOCK_VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print a command's help")
    .exitOverride()
    .configureOutput({ outputError() {}, writeOut: printNow }) // `fail` prints errors
    .addHelpText("after", examples("create disk.hds 64G", "info disk.hds", "convert disk.hds disk.raw"))
    .addHelpText("after", "\n`parablock help COMMAND` says more about each.\n");
  await addCommands(program, process.argv.slice(2));
  for (const command of [program, ...program.commands]) {
    command.helpOption("-h, --help", "print this help");
    command.option("--debug", "on errors, print all there is to know").on("option:debug", () => {
      debug = true;
    });
  }
  requireSensibleLine(program);
}

function fail(error: unknown): void {
  const usage = error instanceof CommanderError;
  if (usage && error.exitCode === 0) return; // help or the version was printed
  const name = program.args[0];
  process.exitCode = exitCodeOf(error, name);
  if (usage && error.code === "commander.help") return; // so was the help, as there was no command
  const known = program.commands.some((command) => command.name() === name);
  const hint = usage ? ` - see \`parablock ${known ? `${name} ` : ""}--help\`` : "";
  errorOutput().write(`parablock: ${describeError(error, debug)}${hint}\n`);
}

async function main(): Promise<void> {
  let ended = false;
  process.on("uncaughtException", (error) => {
    fail(error);
    process.exit();
  });
  // Where nothing is left to wait for, Node ends a program as if all had gone well.
  process.once("beforeExit", () => {
    if (!ended) fail(new Error("the command has stopped before its end, which is a mistake of parablock: report it"));
  });
  try {
    await build();
    await program.parseAsync();
  } catch (error) {
    fail(error);
  }
  ended = true;
}

void main();
