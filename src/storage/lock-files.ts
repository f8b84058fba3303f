/**
 * Lock files: every holder of an image has one beside it, whose name says who that is. One whose process is gone is
 * taken away by the next to come; a process of another host is believed to live.
 */
import * as fs from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { namesIn } from "./directory.js";
import { startOf } from "./processes.js";

export type Access = "read" | "write";

export interface Holder {
  file: string;
  /** The host, where it is not this one. */
  host: string | undefined;
  pid: number;
  access: Access;
}

/** What a lock file holds: `start` tells a process from a later one with the same number. */
interface Content {
  pid: number;
  start?: string | undefined;
}

const ownHost = encodeURIComponent(hostname());
let count = 0;

/** Announces this process; undefined in a directory that cannot be written: others are respected then, but not told. */
export function announce(path: string, access: Access): { file: string; remove(): void } | undefined {
  const content: Content = { pid: process.pid, start: startOf(process.pid) };
  for (;;) {
    const file = `${path}.lock-${ownHost}-${process.pid}-${count++}-${access}`;
    try {
      const fd = fs.openSync(file, "wx");
      writeContent(fd, content);
      return { file, remove: () => remove(file) };
    } catch (error) {
      // Another thread's, or of an earlier process with this number.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") return undefined;
    }
  }
}

/** The name alone is a lock: on a device that is full the content stays out. */
function writeContent(fd: number, content: Content): void {
  try {
    fs.writeSync(fd, `${JSON.stringify(content)}\n`);
  } catch {
    // Then a later process with this number passes for this one.
  } finally {
    fs.closeSync(fd);
  }
}

/** The holders that lock files beside an image name. */
export function holders(path: string): Holder[] {
  const prefix = `${basename(path)}.lock-`;
  return namesIn(dirname(path))
    .filter((name) => name.startsWith(prefix))
    .flatMap((name) => holderOf(join(dirname(path), name), name.slice(prefix.length)))
    .filter((holder) => {
      const alive = isAlive(holder);
      if (!alive) remove(holder.file);
      return alive;
    });
}

function holderOf(file: string, name: string): Holder[] {
  const parts = /^(.+)-(\d+)-\d+-(read|write)$/.exec(name);
  if (parts === null) return [];
  const host = parts[1] === ownHost ? undefined : parts[1];
  return [{ file, host, pid: Number(parts[2]), access: parts[3] as Access }];
}

function isAlive({ host, pid, file }: Holder): boolean {
  if (host !== undefined) return true; // not for us to know
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const noted = startIn(file);
  const start = startOf(pid);
  return noted === undefined || start === undefined || noted === start;
}

/** When the process began that made a lock file; undefined where it does not say, or not yet. */
function startIn(file: string): string | undefined {
  try {
    return (JSON.parse(fs.readFileSync(file, "utf8")) as Content).start;
  } catch {
    return undefined;
  }
}

/** What cannot be removed is left for those to come. */
function remove(file: string): void {
  try {
    fs.rmSync(file, { force: true });
  } catch {}
}
