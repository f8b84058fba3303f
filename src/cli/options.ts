/** Options and help that several commands share. */
import { InvalidArgumentError, Option } from "commander";
import { parseSize } from "./size.js";

export function clusterSizeOption(): Option {
  return new Option("--cluster-size <size>", "unit of allocation, a multiple of 512 bytes (default: 1M)").argParser(
    parseSize,
  );
}

export function formatOption(): Option {
  return new Option(
    "--format <version>",
    "v2, or v1 as Parallels Desktop itself writes it, up to 2T (default: v2; in a bundle of up to 1T v1)",
  ).choices(["v2", "v1"]);
}

export function baseOption(): Option {
  return new Option(
    "--base <file>",
    "what lies beneath the image and shows where it has nothing: an image, a bundle or a raw file",
  );
}

/** How a bundle is made. */
export function bundleOptions(): Option[] {
  return [
    new Option("--split <size>", "cut a bundle into parts of so much, of whole clusters").argParser(parseSize),
    new Option("--plain", "raw images in a bundle, not expandable ones"),
  ];
}

/** @param what whose snapshot, in words */
export function snapshotOption(flags: string, what: string): Option {
  return new Option(flags, `the snapshot of ${what}, a bundle, by its GUID (default: what the disk is now)`);
}

/** Says what a file is. @param what the file in words */
export function kindOption(flags: string, what: string): Option {
  return new Option(flags, `what ${what} is (default: by its content)`).choices(["parallels", "raw"]);
}

export function shareOption(): Option {
  return new Option(
    "--force-share",
    "read an image that is open for writing elsewhere; what is read may not fit together",
  );
}

const UUID = /^\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?$/i;

/** The UUID of a bitmap. @throws InvalidArgumentError (a usage error) */
export function parseUuid(text: string): string {
  const [, uuid] = UUID.exec(text.trim()) ?? [];
  if (uuid === undefined)
    throw new InvalidArgumentError("Give a UUID such as e4f2eed0-37fe-4539-b50b-85d2e7fd235f: bitmap list tells them.");
  return uuid.toLowerCase();
}

/** @param use what is done with it, in words */
export function bitmapOption(use: string): Option {
  return new Option("--bitmap <uuid>", use).argParser(parseUuid);
}

export function trustOption(): Option {
  return new Option(
    "--trust-stale",
    "with --bitmap: use the bitmap although it may have missed changes. For images whose last writer kept it and did not say so, as QEMU from 10.1 on",
  );
}

/** Help text with command lines to copy. */
export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  parablock ${line}\n`).join("")}`;
}
