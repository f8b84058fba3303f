/**
 * What holds for every command line, whatever the command and the option: a value is given once - which of two is
 * meant nobody can know, and the other would be dropped without a word - and no name or value is empty.
 */
import type { Command, Option } from "commander";

const ADVICE = "is empty: is a variable not set?";

/** Has a program and its commands refuse, as usage errors, options given twice and names and values that are empty. */
export function requireSensibleLine(program: Command): void {
  for (const command of [program, ...program.commands])
    for (const option of command.options) if (option.required || option.optional) requireOnce(command, option);
  program.hook("preAction", (_, command) => {
    const empty = command.args.indexOf("");
    if (empty >= 0) command.error(`error: argument '${command.registeredArguments[empty]!.name()}' ${ADVICE}`);
  });
}

/** A flag without a value may be repeated: it says the same again. */
function requireOnce(command: Command, option: Option): void {
  let given = false;
  command.on(`option:${option.name()}`, (value: string) => {
    if (given) command.error(`error: option '${option.flags}' is given twice: leave one of them out`);
    if (value === "") command.error(`error: option '${option.flags}' ${ADVICE}`);
    given = true;
  });
}
