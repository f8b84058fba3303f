/**
 * Finding the optional package koffi. A bundle has left this module's place behind: in CommonJS form it has no
 * `import.meta.url`, in an executable its modules lie elsewhere. So it is looked for wherever the program's own modules
 * may lie - never below the working directory or what arguments name, where a stranger's file may.
 */
import nodeModule from "node:module";

export type Koffi = typeof import("koffi");

let provided: Koffi | undefined;

/** @throws TypeError */
export function provideKoffi(koffi: object): void {
  const given = koffi as (Partial<Koffi> & { default?: Partial<Koffi> }) | null | undefined;
  const found = [given, given?.default].find((module) => typeof module?.load === "function");
  if (found === undefined) throw new TypeError("koffi: expected what import or require of koffi answers");
  provided = found as Koffi;
}

/** The package; a string says why it is not to be had. */
export function findKoffi(): Koffi | string {
  if (provided !== undefined) return provided;
  const reasons: string[] = [];
  for (const place of places()) {
    try {
      return requireFrom(place, "koffi");
    } catch (error) {
      if (!isMissing(error)) reasons.push(`koffi does not work here: ${firstLine(error)}`);
    }
  }
  return reasons[0] ?? "the optional package koffi is not installed where the program's modules lie";
}

/** By the module's default, and not in one expression: webpack would see an import of `createRequire` and put in an answer of its own. */
function requireFrom(place: string, name: string): Koffi {
  const require = nodeModule.createRequire(place);
  return require(name);
}

/** This module, the bundle that it has become a part of, the program, the executable that holds it. */
function places(): string[] {
  const bundle = typeof __filename === "string" ? __filename : undefined;
  const found = [import.meta.url, bundle, process.mainModule?.filename, process.execPath];
  return found.filter((place) => typeof place === "string" && /^(\/|file:|[a-z]:\\|\\\\)/i.test(place)) as string[];
}

const isMissing = (error: unknown): boolean =>
  (error as { code?: string }).code === "MODULE_NOT_FOUND" && /["']koffi["']/.test(firstLine(error));

const firstLine = (error: unknown): string => String((error as Error).message ?? error).split("\n")[0];
