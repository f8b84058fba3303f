/** Runs the built command as a person would, and makes disks for it to work on. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createFileSync, openFileSync } from "../../src/node.js";

export const cliPath = fileURLToPath(new URL("../../dist/cli.cjs", import.meta.url));

export interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
  /** Standard output as bytes. */
  bytes: Uint8Array;
}

/** Runs `parablock` with arguments to its end; `input` is its standard input. */
export function parablock(args: string[], input: Uint8Array | string = ""): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cliPath, ...args], { input, maxBuffer: 2 ** 28 });
  return { status, stdout: stdout.toString(), stderr: stderr.toString(), bytes: stdout };
}

/** Starts `parablock` and leaves it running. */
export function startParablock(args: string[]): ChildProcess {
  return spawn(process.execPath, [cliPath, ...args], { stdio: ["pipe", "pipe", "pipe"] });
}

/** A run of one byte value on a disk. */
export type Fill = [offset: number, length: number, value: number];

export interface DiskShape {
  size: number;
  clusterSize?: number;
  format?: "v1" | "v2";
  /** Written in this order. */
  fills?: Fill[];
}

/** Makes an image in a file. */
export function makeDisk(path: string, { fills = [], ...shape }: DiskShape): void {
  const disk = createFileSync(path, shape);
  for (const [offset, length, value] of fills) disk.write(new Uint8Array(length).fill(value), offset);
  disk.close();
}

/** Everything a guest would read. */
export function contentOf(path: string): Uint8Array {
  const disk = openFileSync(path, { readOnly: true });
  const bytes = new Uint8Array(disk.size);
  disk.read(bytes, 0);
  disk.close();
  return bytes;
}

/** The bytes that `fills` make of a disk. */
export function bytesOf({ size, fills = [] }: DiskShape): Uint8Array {
  const bytes = new Uint8Array(size);
  for (const [offset, length, value] of fills) bytes.fill(value, offset, offset + length);
  return bytes;
}

/** Changes 32-bit fields of a file. */
export function patch(path: string, values: Record<number, number>): void {
  const bytes = readFileSync(path);
  for (const [offset, value] of Object.entries(values)) bytes.writeUInt32LE(value, Number(offset));
  writeFileSync(path, bytes);
}

/** Where the BAT begins in an image file. */
export const BAT = 64;

/** Makes a disk of 16 clusters of 4 KiB, the first three written, and changes fields of its file. */
export function makeDamaged(path: string, fields: Record<number, number> = {}): string {
  makeDisk(path, { size: 65536, clusterSize: 4096, fills: [[0, 12288, 1]] });
  patch(path, fields);
  return path;
}
