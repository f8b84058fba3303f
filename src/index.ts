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
export { Disk } from "./disk.js";
export { type BeneathSync, type CreateOptionsSync, DiskSync, type OpenOptionsSync } from "./disk-sync.js";
export { createZeroScanner } from "./engine/create.js";
export type { EngineKind, ZeroScanner } from "./engine/engine.js";
export { DiskError, type DiskErrorCode } from "./errors.js";
export { type Geometry, geometryOf } from "./format/geometry.js";
export { type Format, probe } from "./format/header.js";
export type { BaseDisk } from "./operations/base.js";
export type { BlockStatus, DataStatus, EmptyStatus } from "./operations/block-status.js";
export type { CheckReport } from "./operations/check.js";
export type { Finding, FindingKind } from "./operations/findings.js";
export type { PreallocationMode } from "./operations/grow.js";
export type { DiskInfo } from "./operations/info.js";
export type { RepairLevel, RepairReport } from "./operations/repair.js";
export type { CreateOptions, OpenOptions } from "./options.js";
export { MemoryStorage } from "./storage/memory.js";
export type { Storage, StorageSync } from "./storage/storage.js";
