/**
 * `npm run example:node-v86 -- [IMAGE] [options]`: boots a Parallels image in v86, without a screen, and prints what
 * the guest says on its first serial port. Without an image it makes a small one that boots GRUB, and keeps it: at
 * the second start the guest finds what it wrote at the first.
 *
 *     --until TEXT     ends when the guest has printed this; fails where it does not
 *     --silence N      ends when the guest has been silent for N seconds (default 10)
 *     --timeout N      ends after N seconds in any case (default 300)
 *     --snapshot       forgets what the guest writes, the image stays as it is
 */
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { V86Disk, type V86Failure } from "../src/adapters/v86.js";
import { Disk, MemoryStorage } from "../src/index.js";
import { createFile, openFile } from "../src/node.js";
import { readBios } from "./bios.js";
import { GRUB_OUTPUT, makeGrubDisk } from "./grub-disk.js";
import { Machine } from "./machine.js";

const OWN_IMAGE = "demo-out/grub.hds";
const CLUSTER_SIZE = 64 * 1024;

type Ending = "text" | "silence" | "timeout" | "failure";

interface Plan {
  image: string;
  until: string | undefined;
  silence: number;
  timeout: number;
  snapshot: boolean;
}

function planOf(args: string[]): Plan {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      until: { type: "string" },
      silence: { type: "string", default: "10" },
      timeout: { type: "string", default: "300" },
      snapshot: { type: "boolean", default: false },
    },
  });
  const { snapshot } = values;
  const [image = OWN_IMAGE] = positionals;
  const until = values.until ?? (positionals.length === 0 ? GRUB_OUTPUT.done : undefined);
  return { image, until, silence: seconds(values.silence), timeout: seconds(values.timeout), snapshot };
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1e6)) throw new RangeError(`expected a number of seconds, got "${text}"`);
  return value * 1000;
}

/** Raw bytes into a new Parallels image; what is zero takes no room. */
async function makeImage(path: string, raw: Uint8Array): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const disk = await createFile(path, { size: raw.length, clusterSize: CLUSTER_SIZE });
  for (let offset = 0; offset < raw.length; offset += CLUSTER_SIZE) {
    const bytes = raw.subarray(offset, offset + CLUSTER_SIZE);
    if (bytes.some((byte) => byte !== 0)) await disk.write(bytes, offset);
  }
  await disk.close();
}

async function openDisk({ image, snapshot }: Plan): Promise<Disk> {
  if (image === OWN_IMAGE && !existsSync(image)) {
    readBios(); // what is missing is told before a disk is made that cannot boot
    await makeImage(image, makeGrubDisk());
  }
  const disk = await openFile(image, { readOnly: snapshot });
  return snapshot ? Disk.create(new MemoryStorage(), { size: disk.size, base: disk }) : disk;
}

/** Runs the machine until one of the plan's ends has come. */
function runUntilEnd(disk: Disk, { until, silence, timeout }: Plan): Promise<Ending> {
  return new Promise((resolve, reject) => {
    let quiet: NodeJS.Timeout | undefined;
    const hda = new V86Disk(disk, { onerror: (failure) => end("failure", failure) });
    const machine = new Machine({ hda, onoutput: (text) => heard(text) });
    const limit = setTimeout(() => end("timeout"), timeout);

    const heard = (text: string) => {
      process.stdout.write(text);
      clearTimeout(quiet);
      quiet = setTimeout(() => end("silence"), silence);
      if (until !== undefined && machine.output.includes(until)) end("text");
    };
    const end = (ending: Ending, failure?: V86Failure) => {
      clearTimeout(quiet);
      clearTimeout(limit);
      if (failure) process.stderr.write(`\nThe guest's ${failure.verb} failed: ${failure.error.message}\n`);
      machine
        .end()
        .then(() => (ending === "failure" ? disk.abandon() : hda.close()))
        .then(() => resolve(ending), reject);
    };
  });
}

/** Whether that was a success, said to whoever waits for it. */
function judge(ending: Ending, { image, until, timeout }: Plan): boolean {
  const told = until === undefined ? ending === "silence" : ending === "text";
  const why = ending === "timeout" ? `after ${timeout / 1000} s` : `the guest fell silent`;
  if (told) process.stderr.write(`\n${image} booted; the disk is closed.\n`);
  else if (ending !== "failure")
    process.stderr.write(`\n${image}: given up, ${why}${until ? ` before "${until}"` : ""}\n`);
  return told;
}

try {
  const plan = planOf(process.argv.slice(2));
  const disk = await openDisk(plan);
  process.exitCode = judge(await runUntilEnd(disk, plan), plan) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
