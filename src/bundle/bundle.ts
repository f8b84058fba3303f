/**
 * Bundles: disks that are folders, with parts and snapshots.
 *
 * ```js
 * import { Bundle } from "parablock/bundle";
 * import { FileFolder } from "parablock/node";
 *
 * const bundle = await Bundle.open(await FileFolder.open("disk.hdd"));
 * const disk = await bundle.openDisk();
 * const before = await bundle.createSnapshot(); // the disk goes on, requests wait for a moment
 * await disk.write(new Uint8Array(512), 0);
 * await bundle.switchSnapshot(before); // as if nothing had been written
 * await bundle.close();
 * ```
 */
// The declarations name Symbol.dispose: with this a consumer's `lib` need not have it.
/// <reference lib="esnext.disposable" preserve="true" />
import { asyncDevice, syncDevice } from "../device/verbs.js";
import { Disk } from "../disk.js";
import { DiskSync } from "../disk-sync.js";
import type { RepairLevel } from "../image/reports.js";
import type { Operation } from "../operation.js";
import type { WorkOptions } from "../progress.js";
import { runAsync, runSync } from "../run.js";
import type { Folder, FolderSync } from "../storage/folder.js";
import { BundleInfo } from "./bundle-info.js";
import { type BundleRepair, type BundleReport, checkBundle, repairBundle } from "./check-bundle.js";
import { createSnapshot } from "./create-snapshot.js";
import { deleteSnapshot } from "./delete-snapshot.js";
import { BundleDisk, BundleDiskSync } from "./disks.js";
import { requireGuid } from "./guid.js";
import { createBundle, openBundle } from "./open-bundle.js";
import {
  type BundleOptions,
  bundleSettings,
  type CreateBundleOptions,
  createBundleSettings,
  type OpenDiskOptions,
  openDiskSettings,
} from "./options.js";
import type { Face } from "./segment.js";
import type { State } from "./state.js";
import { switchSnapshot } from "./switch-snapshot.js";

const LATER: Face = { concurrent: true, disk: (image) => new Disk(image), bind: asyncDevice };
const NOW: Face = { concurrent: false, disk: (image) => new DiskSync(image), bind: syncDevice };

export class Bundle extends BundleInfo {
  /** Opens the bundle in a folder, by its descriptor. @throws DiskError NOT_FOUND, BAD_BUNDLE, UNSUPPORTED */
  static async open(folder: Folder, options: BundleOptions = {}): Promise<Bundle> {
    const settings = bundleSettings(folder, options, LATER);
    return new Bundle(await runAsync(openBundle(folder, settings, options)));
  }

  /** Makes a new, empty disk in a folder that has none. @throws TypeError, RangeError; DiskError EXISTS, READ_ONLY */
  static async create(folder: Folder, options: CreateBundleOptions): Promise<Bundle> {
    const { settings, bundle } = createBundleSettings(folder, options, LATER);
    return new Bundle(await runAsync(createBundle(folder, settings, bundle)));
  }

  /**
   * Opens the disk: the top, to be written, or any snapshot, to be read. One at a time is written. Close it, or the bundle.
   * @throws DiskError NOT_FOUND, BAD_BUNDLE, READ_ONLY, IN_USE, and what `Disk.open` says of an image
   */
  async openDisk(options: OpenDiskOptions = {}): Promise<BundleDisk> {
    const { guid, readOnly } = openDiskSettings(this.state, options);
    const live = await runAsync(this.state.verb(() => this.state.openDisk(guid, readOnly)));
    return new BundleDisk(live, this.path);
  }

  /** Keeps the disk as it is now; answers the snapshot's GUID. An open disk goes on; its requests wait meanwhile. */
  async createSnapshot(): Promise<string> {
    return this.#verb((state) => createSnapshot(state));
  }

  /**
   * Deletes a snapshot; all others, and the disk, read as before. What only it held goes, else it is merged with the one that
   * stands on it. @throws DiskError NOT_FOUND; UNSUPPORTED for the top, and where several stand on it; ABORTED
   */
  async deleteSnapshot(guid: string, options: WorkOptions = {}): Promise<void> {
    const known = requireGuid(guid);
    return this.#verb((state) => deleteSnapshot(state, known, options));
  }

  /** Has the disk go on from a snapshot: what was written since the last one is dropped. An open disk stays open. */
  async switchSnapshot(guid: string): Promise<void> {
    const known = requireGuid(guid);
    return this.#verb((state) => switchSnapshot(state, known));
  }

  /** Looks at every image, and for what a crash left; changes nothing. */
  async check(): Promise<BundleReport> {
    return this.#verb((state) => checkBundle(state));
  }

  /** Repairs every image as `Disk` does, finishes deletions, and removes what a crash left. */
  async repair(level: RepairLevel): Promise<BundleRepair> {
    return this.#verb((state) => repairBundle(state, level));
  }

  /** Closes the disks that are open. */
  async close(): Promise<void> {
    return this.#verb((state) => state.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #verb<T>(verb: (state: State) => Operation<T>): Promise<T> {
    return runAsync(this.state.verb(() => verb(this.state)));
  }
}

/** `Bundle` over a folder that answers at once. */
export class BundleSync extends BundleInfo {
  /** Opens the bundle in a folder, by its descriptor. @throws DiskError NOT_FOUND, BAD_BUNDLE, UNSUPPORTED */
  static open(folder: FolderSync, options: BundleOptions = {}): BundleSync {
    const settings = bundleSettings(folder, options, NOW);
    return new BundleSync(runSync(openBundle(folder, settings, options)));
  }

  /** Makes a new, empty disk in a folder that has none. @throws TypeError, RangeError; DiskError EXISTS, READ_ONLY */
  static create(folder: FolderSync, options: CreateBundleOptions): BundleSync {
    const { settings, bundle } = createBundleSettings(folder, options, NOW);
    return new BundleSync(runSync(createBundle(folder, settings, bundle)));
  }

  /**
   * Opens the disk: the top, to be written, or any snapshot, to be read. One at a time is written. Close it, or the bundle.
   * @throws DiskError NOT_FOUND, BAD_BUNDLE, READ_ONLY, IN_USE, and what `DiskSync.open` says of an image
   */
  openDisk(options: OpenDiskOptions = {}): BundleDiskSync {
    const { guid, readOnly } = openDiskSettings(this.state, options);
    return new BundleDiskSync(runSync(this.state.openDisk(guid, readOnly)), this.path);
  }

  /** Keeps the disk as it is now; answers the snapshot's GUID. An open disk goes on. */
  createSnapshot(): string {
    return runSync(createSnapshot(this.state));
  }

  /**
   * Deletes a snapshot; all others, and the disk, read as before. What only it held goes, else it is merged with the one that
   * stands on it. @throws DiskError NOT_FOUND; UNSUPPORTED for the top, and where several stand on it; ABORTED
   */
  deleteSnapshot(guid: string, options: WorkOptions = {}): void {
    runSync(deleteSnapshot(this.state, requireGuid(guid), options));
  }

  /** Has the disk go on from a snapshot: what was written since the last one is dropped. An open disk stays open. */
  switchSnapshot(guid: string): void {
    runSync(switchSnapshot(this.state, requireGuid(guid)));
  }

  /** Looks at every image, and for what a crash left; changes nothing. */
  check(): BundleReport {
    return runSync(checkBundle(this.state));
  }

  /** Repairs every image as `DiskSync` does, finishes deletions, and removes what a crash left. */
  repair(level: RepairLevel): BundleRepair {
    return runSync(repairBundle(this.state, level));
  }

  /** Closes the disks that are open. */
  close(): void {
    runSync(this.state.close());
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
