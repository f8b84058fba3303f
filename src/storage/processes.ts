/** What /proc tells of processes and of the locks on a file; where there is no /proc, nothing. */
import * as fs from "node:fs";
import { namesIn } from "./directory.js";

/** A process for a message, with its program where that can be seen. */
export function processName(pid: number): string {
  return pid === process.pid ? "this process" : `process ${pid}${programOf(pid)}`;
}

function programOf(pid: number): string {
  const program = textOf(`/proc/${pid}/comm`).trim();
  return program === "" ? "" : ` (${program})`;
}

/** When a process began: no two of one number have the same. */
export function startOf(pid: number): string | undefined {
  const stat = textOf(`/proc/${pid}/stat`);
  // The program's name is in parentheses and may hold anything; the 20th field behind it is the start, since boot.
  const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  const boot = textOf("/proc/sys/kernel/random/boot_id").trim();
  return ticks === undefined || boot === "" ? undefined : `${boot} ${ticks}`;
}

export interface ByteRange {
  first: number;
  last: number;
}

/** The bytes of an open file that OFD locks cover, whoever has them. */
export function lockedRanges(fd: number): ByteRange[] {
  const file = `${deviceOf(fd)}:${fs.fstatSync(fd, { bigint: true }).ino}`;
  return textOf("/proc/locks")
    .split("\n")
    .flatMap((line) => {
      const parts = /^\d+: OFDLCK .* (\S+) (\d+) (\d+|EOF)$/.exec(line);
      if (parts === null || parts[1] !== file) return [];
      return [{ first: Number(parts[2]), last: parts[3] === "EOF" ? Number.POSITIVE_INFINITY : Number(parts[3]) }];
    });
}

/** The device of a file as /proc/locks writes it; `stat` has another one on file systems with subvolumes. */
function deviceOf(fd: number): string {
  const mount = /^mnt_id:\s*(\d+)$/m.exec(textOf(`/proc/self/fdinfo/${fd}`))?.[1];
  const line = new RegExp(`^${mount} \\d+ (\\d+):(\\d+) `, "m").exec(textOf("/proc/self/mountinfo"));
  return [line?.[1], line?.[2]].map((number) => Number(number).toString(16).padStart(2, "0")).join(":");
}

/** Who has locks on the file behind a descriptor. */
export function findHolder(fd: number): string {
  const { dev, ino } = fs.fstatSync(fd, { bigint: true });
  for (const name of namesIn("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const own = Number(name) === process.pid;
    const holds = namesIn(`/proc/${name}/fd`).some(
      (other) => !(own && Number(other) === fd) && hasLock(name, other, dev, ino),
    );
    if (holds) return processName(Number(name));
  }
  return "another process";
}

function hasLock(pid: string, fd: string, dev: bigint, ino: bigint): boolean {
  try {
    const stat = fs.statSync(`/proc/${pid}/fd/${fd}`, { bigint: true });
    return stat.dev === dev && stat.ino === ino && textOf(`/proc/${pid}/fdinfo/${fd}`).includes("lock:");
  } catch {
    return false; // gone meanwhile, or not ours to see
  }
}

function textOf(path: string): string {
  try {
    return fs.readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
