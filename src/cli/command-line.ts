/**
 * What holds for every command line, whatever the command and the option: a value is given once - which of two is
 * meant nobody can know, and the other would be dropped without a word - and no name or value is empty, or came as
 * other bytes than it has now.
 */
import { isUtf8 } from "node:buffer";
import { existsSync, readFileSync } from "node:fs";
import type { Command, Option } from "commander";

const EMPTY = "is empty: is a variable not set?";
const MANGLED = "is not valid UTF-8, and would be the name of another file: rename the file, or name it through a link";

/** Has a program and its commands refuse, as usage errors, options given twice and names and values that cannot be meant. */
export function requireSensibleLine(program: Command): void {
  for (const command of [program, ...program.commands])
    for (const option of command.options) if (option.required || option.optional) requireOnce(command, option);
  program.hook("preAction", (_, command) => {
    for (const [index, value] of command.args.entries()) {
      const problem = problemOf(value);
      if (problem) command.error(`error: argument '${command.registeredArguments[index]?.name() ?? index}' ${problem}`);
    }
  });
}

/** A flag without a value may be repeated: it says the same again. */
function requireOnce(command: Command, option: Option): void {
  let given = false;
  command.on(`option:${option.name()}`, (value: string) => {
    if (given) command.error(`error: option '${option.flags}' is given twice: leave one of them out`);
    const problem = problemOf(value);
    if (problem) command.error(`error: option '${option.flags}' ${problem}`);
    given = true;
  });
}

function problemOf(value: string | undefined): string | undefined {
  if (value === "") return EMPTY;
  return value?.includes(REPLACEMENT) && isMangled(value) ? MANGLED : undefined;
}

/** What Node makes of bytes in an argument that are no UTF-8; a name may have it by right, too. */
const REPLACEMENT = "\ufffd";

/** The system knows the bytes; where it does not tell, a name that exists is as it was given. */
function isMangled(value: string): boolean {
  try {
    return !isUtf8(readFileSync("/proc/self/cmdline"));
  } catch {
    return !existsSync(value);
  }
}
