/** `parablock snapshot`: what a bundle keeps of the disk's past. */
import { Argument, type Command } from "commander";
import type { Bundle } from "../bundle.js";
import { printable } from "../printable.js";
import { formatTree } from "./bundle-info.js";
import { bundleAt } from "./bundle-path.js";
import { withBundle } from "./bundles.js";
import { Failure, usageFailure } from "./failure.js";
import { examples, shareOption } from "./options.js";
import { print, printJson, requireOutput } from "./print.js";
import { withProgress } from "./progress.js";

interface SnapshotFlags {
  json?: boolean;
  forceShare?: boolean;
}

type Verb = "list" | "create" | "delete" | "switch";

export function addSnapshot(program: Command): void {
  program
    .command("snapshot")
    .summary("list, take, delete and go back to snapshots of a bundle")
    .description(
      "Snapshots of a bundle. create keeps the disk as it is now and prints the GUID; delete merges what only that snapshot holds into the next, so that all others read as before; switch goes back to a snapshot and DROPS what was written since the last one. Each is safe against a crash at any moment.",
    )
    .addArgument(new Argument("<verb>", "what to do").choices(["list", "create", "delete", "switch"]))
    .argument("<bundle>", "the bundle's folder, its DiskDescriptor.xml or its empty .hdd file")
    .argument("[guid]", "which snapshot, for delete and switch")
    .addOption(shareOption())
    .option("--json", "report as JSON")
    .addHelpText(
      "after",
      examples(
        "snapshot list disk.hdd",
        "snapshot create disk.hdd",
        "snapshot delete disk.hdd GUID",
        "snapshot switch disk.hdd GUID",
      ),
    )
    .action(snapshot);
}

async function snapshot(verb: Verb, path: string, guid: string | undefined, flags: SnapshotFlags): Promise<void> {
  const needed = verb === "delete" || verb === "switch";
  if (needed && guid === undefined) throw usageFailure(`snapshot ${verb} needs a GUID: snapshot list tells them`);
  if (!needed && guid !== undefined) throw usageFailure(`snapshot ${verb} takes no GUID: leave it out`);
  if (flags.forceShare && verb !== "list")
    throw usageFailure("--force-share is for looking only: leave it out to change the bundle");
  requireOutput();
  const folder = bundleAt(path);
  if (folder === undefined)
    throw new Failure(`${path} is not a bundle, so it has no snapshots: name the bundle's folder`);
  await withBundle(folder, flags, (bundle) => act(verb, bundle, guid ?? "", flags.json));
}

async function act(verb: Verb, bundle: Bundle, guid: string, json = false): Promise<void> {
  const made = await change(verb, bundle, guid);
  if (json)
    return printJson({ ...(made === undefined ? {} : { guid: made }), top: bundle.top, snapshots: bundle.snapshots });
  await print(verb === "list" ? formatTree(bundle.snapshots) : made === undefined ? "" : `${printable(made)}\n`);
}

/** Answers the GUID of a snapshot that was made. */
async function change(verb: Verb, bundle: Bundle, guid: string): Promise<string | undefined> {
  if (verb === "create") return bundle.createSnapshot();
  if (verb === "switch") await bundle.switchSnapshot(guid);
  if (verb === "delete") await deleteSnapshot(bundle, guid);
  return undefined;
}

/** Ctrl-C ends the merge between two pieces; a second one ends the process, which is as safe. */
async function deleteSnapshot(bundle: Bundle, guid: string): Promise<void> {
  const stop = new AbortController();
  const onInterrupt = () => stop.abort(new Error("interrupted"));
  process.once("SIGINT", onInterrupt);
  try {
    await withProgress("Merging", bundle.size, (progress) =>
      bundle.deleteSnapshot(guid, { signal: stop.signal, onProgress: (done, total) => progress.update(done, total) }),
    );
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}
