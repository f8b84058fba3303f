/**
 * Bundles, the folders that Parallels Desktop keeps disks in: parts, snapshots, chains of images.
 *
 * ```js
 * import { Bundle } from "parablock/bundle";
 * import { FileFolder } from "parablock/node";
 *
 * const bundle = await Bundle.open(await FileFolder.open("disk.hdd"));
 * const disk = await bundle.openDisk();
 * ```
 */
export { Bundle, BundleSync } from "./bundle/bundle.js";
export type { BundleInfo, PartInfo, SnapshotInfo } from "./bundle/bundle-info.js";
export type { BundleRepair, BundleReport, ImageReport } from "./bundle/check-bundle.js";
export type { BundleDisk, BundleDiskSync } from "./bundle/disks.js";
export type { BundleOptions, CreateBundleOptions, OpenDiskOptions } from "./bundle/options.js";
export type { WorkOptions } from "./progress.js";
export type { Folder, FolderOpenOptions, FolderSync } from "./storage/folder.js";
