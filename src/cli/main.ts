#!/usr/bin/env node
/** The `parablock` command: its subcommands, and how it ends. */
import { Command, CommanderError } from "commander";
import { addBench } from "./bench.js";
import { addBitmap } from "./bitmap.js";
import { addCheck } from "./check.js";
import { requireSensibleLine } from "./command-line.js";
import { addCommit } from "./commit.js";
import { addCompact } from "./compact.js";
import { addCompare } from "./compare.js";
import { addConvert } from "./convert.js";
import { addCreate } from "./create.js";
import { describeError, exitCodeOf } from "./failure.js";
import { addInfo } from "./info.js";
import { addMap } from "./map.js";
import { examples } from "./options.js";
import { endWithReader, printNow } from "./print.js";
import { addRebase } from "./rebase.js";
import { addResize } from "./resize.js";
import { addSnapshot } from "./snapshot.js";

/** Put in by the build. */
declare const PARABLOCK_VERSION: string;

const program = new Command("parablock");
let debug = false;

function build(): void {
  program
    .description("Parallels disk images: make them, look into them, convert, compare and check them.")
    .version(PARABLOCK_VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print a command's help")
    .exitOverride()
    .configureOutput({ outputError() {}, writeOut: printNow }) // `fail` prints errors
    .addHelpText("after", examples("create disk.hds 64G", "info disk.hds", "convert disk.hds disk.raw"))
    .addHelpText("after", "\n`parablock help COMMAND` says more about each.\n");
  const disks = [addCreate, addInfo, addMap, addConvert, addCompare, addCheck];
  for (const add of [...disks, addSnapshot, addBitmap, addCommit, addRebase, addResize, addCompact, addBench])
    add(program);
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
  process.stderr.write(`parablock: ${describeError(error, debug)}${hint}\n`);
}

endWithReader();
process.on("uncaughtException", (error) => {
  fail(error);
  process.exit();
});
build();
try {
  await program.parseAsync();
} catch (error) {
  fail(error);
}
