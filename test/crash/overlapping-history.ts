/**
 * A random history on the asynchronous face: several requests in flight, over the same clusters, flushes among them, and
 * at times the whole disk being resized or compacted.
 */
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
    const requester = async (act: Act) => {
      while (step < end && !simulation.isOver(limits)) {
        step++;
        await act(session, disk);
      }
    };
    // One of them looks after the whole disk, too: that is done once at a time.
    await Promise.all([...Array<Act>(IN_FLIGHT - 1).fill(request), wholeRequest].map(requester));
    if (simulation.isOver(limits)) return;
    await close(session, disk);
  }
}

type Act = (session: Session, disk: Disk) => Promise<void>;

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
  try {
    await (typeof source === "number" ? disk.writeZeroes(offset, length) : disk.write(source, offset));
  } catch (error) {
    if (error instanceof RangeError) return; // the disk was made smaller meanwhile
    throw error;
  }
  session.guest.complete(change);
}

async function wholeRequest(session: Session, disk: Disk): Promise<void> {
  const { random } = session.simulation;
  const kind = random();
  if (kind < 0.15) return resize(session, disk);
  if (kind > 0.3) return request(session, disk);
  session.lines.push("  compact");
  await disk.compact({ order: random() < 0.3 });
}

async function resize(session: Session, disk: Disk): Promise<void> {
  const { random, setting } = session.simulation;
  const unit = choose(random, [disk.clusterSize, SECTOR]);
  const size = (1 + below(random, Math.ceil((1.5 * setting.size) / unit) + 2)) * unit;
  session.lines.push(`  resize from ${disk.size} to ${size}`);
  session.guest.resizing(size);
  await disk.resize(size);
  session.guest.resized();
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
