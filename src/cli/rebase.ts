/** `parablock rebase`: an overlay goes on over another base, or over none, and reads the same. */
import type { Command } from "commander";
import type { BlockDevice } from "../index.js";
import { rebaseDisk } from "../overlay.js";
import { printable } from "../printable.js";
import { about, usageFailure } from "./failure.js";
import type { ImageKind } from "./kind.js";
import { closing } from "./open-files.js";
import { examples, kindOption } from "./options.js";
import { openOverlay, requireDistinct } from "./overlay.js";
import { print, printJson, requireOutput } from "./print.js";
import { withProgress } from "./progress.js";
import { formatSize } from "./size.js";
import { type Named, openSource } from "./source.js";

interface RebaseFlags {
  from?: string;
  to?: string;
  fromKind?: ImageKind;
  toKind?: ImageKind;
  unsafe?: boolean;
  json?: boolean;
}

export function addRebase(program: Command): void {
  program
    .command("rebase")
    .summary("put an overlay on another base")
    .description(
      "Has TOP read over another base as it did over the old one: where TOP holds nothing and the two differ, it gets the old one's bytes. Neither base is written. The format does not record a base: from then on name the new one where you name TOP. Cut off at any moment, TOP over the old base reads as before: run it again.",
    )
    .argument("<top>", "the overlay, a Parallels image")
    .option("--from <file>", "what it stands on: an image, a bundle or a raw file")
    .option("--to <file>", "what it is to stand on (default: nothing, it holds all itself then)")
    .addOption(kindOption("--from-kind <kind>", "the old base"))
    .addOption(kindOption("--to-kind <kind>", "the new base"))
    .option(
      "--unsafe",
      "compare and write nothing, for a base that was moved or converted: as the format records no base, only the files are looked at",
    )
    .option("--json", "report as JSON")
    .addHelpText("after", examples("rebase top.hds --from old.hds --to new.hds", "rebase top.hds --from below.raw"))
    .action(rebase);
}

async function rebase(top: string, flags: RebaseFlags): Promise<void> {
  const { from, to, unsafe } = flags;
  const old = baseNamed(from, flags.fromKind, "--from");
  const now = baseNamed(to, flags.toKind, "--to");
  if (old === undefined && !unsafe)
    throw usageFailure("name what TOP stands on with --from: its bytes may have to go up");
  requireDistinct(top, { "--from": from, "--to": to });
  requireOutput();
  await opening(old, (beneath) => opening(now, (above) => rebaseFrom(top, beneath, above, flags)));
}

function baseNamed(path: string | undefined, kind: ImageKind | undefined, option: string): Named | undefined {
  if (path === undefined && kind !== undefined)
    throw usageFailure(`${option}-kind says what the base is: name one with ${option}, or leave it out`);
  return path === undefined ? undefined : { path, kind, option: `${option}-kind` };
}

async function opening(
  file: Named | undefined,
  work: (device: BlockDevice | undefined) => Promise<void>,
): Promise<void> {
  if (file === undefined) return work(undefined);
  const source = await openSource(file);
  await closing(source, () => work(source.device));
}

async function rebaseFrom(
  top: string,
  old: BlockDevice | undefined,
  now: BlockDevice | undefined,
  { to, unsafe = false, json }: RebaseFlags,
): Promise<void> {
  const disk = await openOverlay(top, old, unsafe);
  const before = disk.allocatedBytes;
  let added = 0;
  await closing(disk, async () => {
    await withProgress("Rebasing", disk.size, (progress) =>
      about(top, () => rebaseDisk(disk, now, { unsafe, onProgress: (done) => progress.update(done) })),
    );
    added = disk.allocatedBytes - before;
  });
  if (json) return printJson({ filename: top, base: to ?? null, addedBytes: added, unsafe });
  const name = printable(top);
  const stands = to === undefined ? "stands alone now" : `stands on ${printable(to)} now`;
  if (unsafe) await print(`Nothing was changed: ${name} ${stands}, whatever it reads as there.\n`);
  else await print(`${name} ${stands}: ${formatSize(added)} were added to it\n`);
}
