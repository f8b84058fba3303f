/** `parablock info`: what an image is. */
import { statSync } from "node:fs";
import type { Command } from "commander";
import { counted, wordFor } from "../count.js";
import type { DiskInfo } from "../index.js";
import { nativeCalls } from "../node.js";
import { bundleAt, requireNoSnapshot } from "./bundle-path.js";
import { STALE_NOTE } from "./dirty.js";
import { withImage } from "./image.js";
import { examples, shareOption, snapshotOption } from "./options.js";
import { formatFields, print, printJson } from "./print.js";
import { formatExactSize, formatShare, formatSize } from "./size.js";

/** Bytes of a block as stat(2) counts them. */
const STAT_BLOCK_SIZE = 512;

export function addInfo(program: Command): void {
  program
    .command("info")
    .summary("say what an image is")
    .description("Says what an image is: its sizes, its state, where its data begins. Changes nothing.")
    .argument("<file>", "a Parallels image, or a bundle")
    .addOption(snapshotOption("--snapshot <guid>", "FILE"))
    .addOption(shareOption())
    .option("--json", "report as JSON, sizes and offsets in bytes")
    .addHelpText("after", examples("info disk.hds", "info --json disk.hds", "info disk.hdd"))
    .action(info);
}

export interface InfoFlags {
  json?: boolean | undefined;
  snapshot?: string | undefined;
  forceShare?: boolean | undefined;
}

async function info(file: string, { json, snapshot, forceShare }: InfoFlags): Promise<void> {
  const folder = bundleAt(file);
  if (folder !== undefined)
    return (await import("./bundle-info.js")).bundleInfo(folder, { json, snapshot, forceShare });
  requireNoSnapshot(file, snapshot);
  const facts = await withImage("Reading", file, forceShare, (disk) => disk.info);
  const { blocks } = statSync(file);
  const usage = blocks * STAT_BLOCK_SIZE;
  if (json) await printJson({ filename: file, ...facts, diskUsage: usage, nativeCalls: nativeCalls() });
  else await print(formatFields(fieldsOf(file, facts, usage)));
}

function fieldsOf(file: string, facts: DiskInfo, usage: number): [string, string][] {
  const { allocatedBytes, clusterSize, clusterCount, geometry } = facts;
  const allocated = allocatedBytes / clusterSize;
  const { cylinders, heads, sectors } = geometry;
  return [
    ["file", file],
    ["format", `Parallels expandable image, ${facts.format}`],
    ["virtual size", formatExactSize(facts.size)],
    ["cluster size", formatExactSize(clusterSize)],
    [
      "allocated",
      `${formatSize(allocatedBytes)}, ${allocated} of ${counted(clusterCount, "cluster")} (${formatShare(allocated, clusterCount)})`,
    ],
    [
      "fragmented",
      `${counted(facts.fragmentedClusters, "cluster")} ${wordFor(facts.fragmentedClusters, "does not follow its", "do not follow their")} predecessor`,
    ],
    ["file size", `${formatExactSize(facts.fileSize)}, on disk ${formatSize(usage)}`],
    ["state", stateOf(facts)],
    ["data offset", formatExactSize(facts.dataOffset)],
    ["extension", extensionOf(facts)],
    ...bitmapFields(facts),
    ["geometry", `${counted(cylinders, "cylinder")}, ${counted(heads, "head")}, ${counted(sectors, "sector")}`],
    ["lock", lockOf(facts)],
    ["files here", filesOf(nativeCalls())],
    ["findings", findingsOf(facts)],
  ];
}

/** What this machine can do with files. */
function filesOf(calls: true | string): string {
  if (calls === true) return "preallocated with real blocks, holes punched, locked by the system";
  return `sized ahead without blocks, no holes punched, locked by files: ${calls}`;
}

/** How this image was locked while it was looked at. */
function lockOf({ lock = "none", lockFallback }: DiskInfo): string {
  const kind = { system: "the system's", file: "lock files, which QEMU does not see", none: "none" }[lock];
  return lockFallback === undefined ? kind : `${kind}: ${lockFallback}`;
}

function stateOf({ inUse, unclean, emptyFlag }: DiskInfo): string {
  const empty = emptyFlag ? "; flagged as empty" : "";
  if (unclean) return `open for writing, or not closed cleanly${empty}`;
  if (inUse === 0) return `closed cleanly${empty}`;
  return `closed cleanly (${inUseMark(inUse)})${empty}`;
}

/** The mark as text ("v2.1", "pd17") where it is text, else as a number. */
function inUseMark(inUse: number): string {
  const text = String.fromCharCode(...[0, 8, 16, 24].map((shift) => (inUse >>> shift) & 0xff));
  return /^[\x20-\x7e]+$/.test(text) ? `"${text}"` : `0x${inUse.toString(16)}`;
}

function extensionOf({ extension: { present, offset, problem } }: DiskInfo): string {
  if (!present) return "none";
  return `at byte ${offset}${problem === undefined ? "" : `, cannot be kept: ${problem}`}`;
}

function bitmapFields({ bitmaps }: DiskInfo): [string, string][] {
  const fields = bitmaps.map(({ id, granularity, stale }): [string, string] => [
    "dirty bitmap",
    `${id}, ${formatSize(granularity)} a bit${stale ? ", stale" : ""}`,
  ]);
  return bitmaps.some(({ stale }) => stale) ? [...fields, ["note", STALE_NOTE]] : fields;
}

function findingsOf({ findings }: DiskInfo): string {
  return findings.length === 0 ? "none" : findings.map(({ message }) => message).join("; ");
}
