/**
 * Parablock: Parallels disk images as block devices, in Node and in browsers.
 *
 * ```js
 * import { Disk, MemoryStorage } from "parablock";
 *
 * const disk = await Disk.create(new MemoryStorage(), { size: 64 * 1024 * 1024 });
 * await disk.write(new TextEncoder().encode("hello"), 4096);
 * await disk.flush();
 * await disk.close();
 * ```
 *
 * Files are opened with `parablock/node`.
 */

export type { AnyDevice, BlockDevice, BlockDeviceSync, Extent } from "./device/block-device.js";
export {
  joinDevices,
  joinDevicesSync,
  rawDevice,
  rawDeviceSync,
  readFully,
  readFullySync,
  writeFully,
  writeFullySync,
} from "./devices.js";
export { Disk } from "./disk.js";
export { type CreateOptionsSync, DiskSync, type OpenOptionsSync } from "./disk-sync.js";
export { createZeroScanner } from "./engine/create.js";
export type { EngineKind, ZeroScanner } from "./engine/engine.js";
export { DiskError, type DiskErrorCode } from "./errors.js";
export { type Geometry, geometryOf } from "./format/geometry.js";
export { type Format, probe } from "./format/header.js";
export type { BitmapInfo, DirtyOptions, DirtyRange, NewBitmapOptions } from "./image/bitmap-options.js";
export type { CompactOptions } from "./image/compact-settings.js";
export type { DiskInfo } from "./image/info.js";
export type {
  CheckReport,
  CompactReport,
  Finding,
  FindingKind,
  PreallocationMode,
  RepairLevel,
  RepairReport,
} from "./image/reports.js";
export type { CreateOptions, OpenOptions } from "./options.js";
export { RECOGNISED, type Recognised, recognise, recogniseName, recogniseStorage } from "./recognise.js";
export { BlobStorage } from "./storage/blob.js";
export type { CacheOptions, CacheStatistics } from "./storage/block-cache.js";
export { type CachedStorage, cached } from "./storage/cached.js";
export type { Folder, FolderOpenOptions, FolderOptions, FolderSync } from "./storage/folder.js";
export { HandleFolder, type HandleFolderOptions } from "./storage/handle-folder.js";
export { type HttpStatistics, HttpStorage } from "./storage/http.js";
export { HttpFolder, type HttpFolderOptions } from "./storage/http-folder.js";
export type { ExpectedFile, HttpOptions, HttpWarning } from "./storage/http-options.js";
export { MemoryStorage } from "./storage/memory.js";
export { MemoryFolder } from "./storage/memory-folder.js";
export { type OpfsOptions, OpfsStorage } from "./storage/opfs.js";
export { OpfsFolder } from "./storage/opfs-folder.js";
export { PickedFolder } from "./storage/picked-folder.js";
export type { LockKind, Storage, StorageSync } from "./storage/storage.js";
export { type ConnectOptions, connectDisk, type RemoteDisk } from "./worker/connect.js";
export type { Port } from "./worker/protocol.js";
export { type DiskServer, serveDisk } from "./worker/serve.js";
