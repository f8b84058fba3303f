import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import * as ofBundles from "../../src/bundle.js";
import * as library from "../../src/index.js";
import * as forNode from "../../src/node.js";
import * as ofOverlays from "../../src/overlay.js";

describe("The public names", () => {
  it("of the library are these", () => {
    expect(Object.keys(library).sort()).toEqual([
      "BlobStorage",
      "Disk",
      "DiskError",
      "DiskSync",
      "HandleFolder",
      "HttpFolder",
      "HttpStorage",
      "MemoryFolder",
      "MemoryStorage",
      "OpfsFolder",
      "OpfsStorage",
      "PickedFolder",
      "RECOGNISED",
      "cached",
      "connectDisk",
      "createZeroScanner",
      "geometryOf",
      "joinDevices",
      "joinDevicesSync",
      "probe",
      "rawDevice",
      "rawDeviceSync",
      "readFully",
      "readFullySync",
      "recognise",
      "recogniseName",
      "recogniseStorage",
      "serveDisk",
      "writeFully",
      "writeFullySync",
    ]);
  });

  it("of its Node part are these", () => {
    expect(Object.keys(forNode).sort()).toEqual([
      "Draft",
      "FileFolder",
      "FileFolderSync",
      "FileStorage",
      "FileStorageSync",
      "createFile",
      "createFileSync",
      "nativeCalls",
      "openFile",
      "openFileSync",
      "useKoffi",
    ]);
  });

  it("of its bundles are these", () => {
    expect(Object.keys(ofBundles).sort()).toEqual(["Bundle", "BundleSync"]);
  });

  it("of its overlays are these", () => {
    expect(Object.keys(ofOverlays).sort()).toEqual(["commitDisk", "commitDiskSync", "rebaseDisk", "rebaseDiskSync"]);
  });

  it("of both faces are the same verbs and properties", () => {
    const namesOf = ({ prototype }: { prototype: object }) =>
      Object.getOwnPropertyNames(prototype).filter((name) => !name.startsWith("_"));
    expect(namesOf(library.Disk).sort()).toEqual(namesOf(library.DiskSync).sort());
    expect(namesOf(ofBundles.Bundle).sort()).toEqual(namesOf(ofBundles.BundleSync).sort());
  });
});

describe("The library", () => {
  it.each([
    ["index", ["@noble/hashes"]],
    ["bundle", ["@noble/hashes", "@rgrove/parse-xml"]],
  ])("imports nothing of Node, and of packages what it needs (%s)", async (entry, needed) => {
    const { metafile } = await build({
      entryPoints: [fileURLToPath(new URL(`../../src/${entry}.ts`, import.meta.url))],
      mainFields: ["browser", "module", "main"],
      bundle: true,
      write: false,
      metafile: true,
      format: "esm",
      platform: "neutral",
      external: ["node:*"],
      logLevel: "silent",
    });
    const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
    expect(imports.length).toBeGreaterThan(10);
    expect(imports.filter((imported) => imported.external)).toEqual([]);
    const packages = Object.keys(metafile.inputs).flatMap(
      (path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [],
    );
    expect([...new Set(packages)]).toEqual(needed);
  });
});
