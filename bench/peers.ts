/** The programs that the benchmarks measure against: whether they are there, and in which version. */
import { spawnSync } from "node:child_process";
import type { Answer } from "./question.js";

/** The version that a program tells, or undefined where there is none. */
export function versionOf(program: string): string | undefined {
  const { status, stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  return status === 0 ? (/\d+(?:\.\d+)+/.exec(stdout)?.[0] ?? "of an unknown version") : undefined;
}

/** The part of an answer that tells of these programs. */
export function findPeers(programs: readonly string[]): Required<Pick<Answer, "peers" | "skipped">> {
  const found = programs.map((program) => ({ program, version: versionOf(program) }));
  return {
    peers: Object.fromEntries(
      found.flatMap(({ program, version }) => (version === undefined ? [] : [[program, version]])),
    ),
    skipped: found.flatMap(({ program, version }) => (version === undefined ? [program] : [])),
  };
}
