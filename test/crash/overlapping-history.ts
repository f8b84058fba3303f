/** A random history on the asynchronous face: several requests in flight, over the same clusters, flushes among them. */
import { Disk } from "../../src/disk.js";
import { below, patternBytes, type Random } from "../support/random.js";
import { SECTOR } from "./crash-storage.js";
import { LateStorage } from "./late-storage.js";
import type { Session } from "./session.js";
import { baseOf, choose } from "./setting.js";

/** Requests in flight at once. */
const IN_FLIGHT = 4;
/** Requests between opening and closing, at most. */
const MOST_REQUESTS = 40;

export async function playOverlapping(session: Session): Promise<void> {
  const { simulation, limits } = session;
  for (let step = 0; step < limits.steps && !simulation.isOver(limits); ) {
    const disk = await open(session);
    const end = Math.min(limits.steps, step + below(simulation.random, MOST_REQUESTS));
    const requester = async () => {
      while (step < end && !simulation.isOver(limits)) {
        step++;
        await request(session, disk);
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, requester));
    if (simulation.isOver(limits)) return;
    await close(session, disk);
  }
}

async function open(session: Session): Promise<Disk> {
  const { setting, random } = session.simulation;
  const { engine, prealloc } = setting;
  session.lines.push("open");
  return Disk.open(new LateStorage(session.storage, random), { engine, prealloc, ...baseOf(setting) });
}

async function close(session: Session, disk: Disk): Promise<void> {
  const began = session.guest.tick();
  session.lines.push("close");
  await disk.close();
  durable(session, began);
}

async function request(session: Session, disk: Disk): Promise<void> {
  const { random } = session.simulation;
  const kind = choose(random, ["write", "write", "write", "zeros", "flush", "flush"] as const);
  if (kind === "flush") return flush(session, disk);
  const { offset, length } = rangeOf(disk, random);
  const source = kind === "write" ? patternBytes(session.simulation.nextTag(), length) : length;
  session.lines.push(`  ${kind} ${length} at ${offset}`);
  const change = session.guest.issue(offset, source);
  await (typeof source === "number" ? disk.writeZeroes(offset, length) : disk.write(source, offset));
  session.guest.complete(change);
}

async function flush(session: Session, disk: Disk): Promise<void> {
  const began = session.guest.tick();
  session.lines.push("  flush");
  await disk.flush();
  durable(session, began);
}

function durable(session: Session, began: number): void {
  session.guest.flushed(began);
  session.visitAll();
}

/** Whole sectors: which version of half a sector is the newest could not be told. */
function rangeOf({ size, clusterSize }: Disk, random: Random): { offset: number; length: number } {
  const unit = choose(random, [clusterSize, SECTOR]);
  const offset = below(random, Math.ceil(size / unit)) * unit;
  return { offset, length: Math.min((1 + below(random, 4)) * unit, size - offset) };
}
