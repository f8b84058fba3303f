/**
 * Lock files: every holder of an image has some, whose names say who that is. One lies beside the image, where other
 * hosts see it, too. Others lie in folders that all processes of this machine share, named by the file's device and
 * inode: whatever other name leads to the file - a hard link, a bind mount, the name it was given since - leads to
 * those. One whose process is gone is taken away by the next to come; a process of another host is believed to live.
 */
import * as fs from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { namesIn } from "./directory.js";
import { startOf } from "./processes.js";
import { sharedFolders } from "./shared-folders.js";

export type Access = "read" | "write";

/** A file as lock files know it. */
export interface Place {
  /** Its path, without symbolic links. */
  path: string;
  /** Device and inode; undefined where the file system has no such numbers. */
  identity: string | undefined;
}

export interface Holder {
  file: string;
  /** The host, where it is not this one. */
  host: string | undefined;
  pid: number;
  access: Access;
}

/** What a lock file holds: `start` tells a process from a later one with the same number, `file` which file it is about. */
interface Content {
  pid?: number;
  start?: string | undefined;
  file?: string | undefined;
}

/** This process's own announcement. */
export interface Announcement {
  readonly files: ReadonlySet<string>;
  /** The image is to have another name: from now on it is announced beside that. */
  moveTo(path: string): void;
  remove(): void;
}

const ownHost = encodeURIComponent(hostname());
let count = 0;

/** Of an open file. */
export function placeOf(path: string, fd: number): Place {
  const { dev, ino } = fs.fstatSync(fd, { bigint: true });
  return { path, identity: ino === 0n ? undefined : `${dev}-${ino}` };
}

/** Announces this process; undefined where no lock file can be made: others are respected then, but not told. */
export function announce({ path, identity }: Place, access: Access): Announcement | undefined {
  const content: Content = { pid: process.pid, start: startOf(process.pid), file: identity };
  const shared =
    identity === undefined ? [] : sharedFolders(true).map((folder) => makeLockFile(join(folder, identity)));
  let beside = makeLockFile(path);
  const files = new Set([beside, ...shared].filter((file) => file !== undefined));
  if (files.size === 0) return undefined;

  function makeLockFile(prefix: string): string | undefined {
    return make(`${prefix}.lock-${ownHost}-${process.pid}`, access, content);
  }

  return {
    files,
    moveTo(target) {
      const moved = makeLockFile(target);
      if (moved === undefined) return;
      files.add(moved);
      if (beside !== undefined) {
        remove(beside);
        files.delete(beside);
      }
      beside = moved;
    },
    remove() {
      for (const file of files) remove(file);
      files.clear();
    },
  };
}

/** Makes a file that nobody has yet; undefined where none can be made. */
function make(prefix: string, access: Access, content: Content): string | undefined {
  for (;;) {
    const file = `${prefix}-${count++}-${access}`;
    try {
      const fd = fs.openSync(file, "wx");
      removeAtExit(file);
      writeContent(fd, content);
      return file;
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
    fs.fchmodSync(fd, 0o644); // whatever the umask: other users have to tell whether it is out of date
  } catch {
    // Then a later process with this number passes for this one.
  } finally {
    fs.closeSync(fd);
  }
}

/** The holders that lock files tell of. */
export function holders(place: Place): Holder[] {
  const { path, identity } = place;
  const shared = identity === undefined ? [] : sharedFolders(false).map((folder) => join(folder, identity));
  const found = [...holdersBeside(path, identity), ...shared.flatMap((prefix) => holdersBeside(prefix))];
  return found.filter((holder) => {
    const alive = isAlive(holder);
    if (!alive) remove(holder.file);
    return alive;
  });
}

const LOCK_FILE = /^(.*)\.lock-(.+)-(\d+)-\d+-(read|write)$/s;

/** Whether a file has a name as only lock files have them. */
export const isLockFile = (name: string): boolean => LOCK_FILE.test(name);

function holdersBeside(prefix: string, identity?: string): Holder[] {
  const folder = dirname(prefix);
  return namesIn(folder).flatMap((name) => {
    const parts = LOCK_FILE.exec(name);
    if (parts === null) return [];
    const [, named, host, pid, access] = parts;
    const holder = {
      file: join(folder, name),
      host: host === ownHost ? undefined : host,
      pid: Number(pid),
      access: access as Access,
    };
    return isAbout(holder, named === basename(prefix), identity) ? [holder] : [];
  });
}

/**
 * Whether a lock file is about the file with this identity. On this host what it says of that decides: its image may
 * have been renamed, and another have come to its name. Another host counts its devices for itself, and not every
 * network file system has the same inodes for all: there either will do.
 */
function isAbout({ file, host }: Holder, byName: boolean, identity: string | undefined): boolean {
  const about = identity && contentOf(file).file;
  if (!identity || !about) return byName;
  if (host === undefined) return about === identity;
  return byName || about.split("-")[1] === identity.split("-")[1];
}

function isAlive({ host, pid, file }: Holder): boolean {
  if (host !== undefined) return true; // not for us to know
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const noted = contentOf(file).start;
  const start = startOf(pid);
  return noted === undefined || start === undefined || noted === start;
}

/** Nothing where the file does not say, or not yet. */
function contentOf(path: string): Content {
  try {
    const { start, file } = JSON.parse(beginningOf(path));
    return { ...(typeof start === "string" && { start }), ...(typeof file === "string" && { file }) };
  } catch {
    return {};
  }
}

const CONTENT_SIZE = 1024;

/** Whatever lies there under such a name: neither is a FIFO waited for nor a large file read. */
function beginningOf(path: string): string {
  const fd = fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
  try {
    const buffer = Buffer.alloc(CONTENT_SIZE);
    return buffer.toString("utf8", 0, fs.readSync(fd, buffer));
  } finally {
    fs.closeSync(fd);
  }
}

/** Files of this process that are still there. */
const own = new Set<string>();

/** So that who ends without closing a disk leaves none behind. */
function removeAtExit(file: string): void {
  if (own.size === 0 && !process.listeners("exit").includes(removeAll)) process.on("exit", removeAll);
  own.add(file);
}

function removeAll(): void {
  for (const file of own) remove(file);
}

/** What cannot be removed is left for those to come. */
function remove(file: string): void {
  own.delete(file);
  try {
    fs.rmSync(file, { force: true });
  } catch {}
}
