/**
 * Holds images open as it is told, a line each: "open ROLE PATH" (ROLE: read, write, share, replace), "put BYTE" and
 * "get" (the first sector of the disk opened last), "close". Answers "ok ..." or "CODE message".
 */
import { createInterface } from "node:readline";
import { Disk, DiskError } from "../../../src/index.js";
import { createFile, type FileOptions, FileStorage } from "../../../src/node.js";

const OPTIONS: Record<string, FileOptions> = {
  read: { readOnly: true },
  write: {},
  share: { readOnly: true, share: true },
};

const disks: Disk[] = [];

async function open(role: string, path: string): Promise<string> {
  if (role === "replace") {
    disks.push(await createFile(path, { size: 65536, clusterSize: 4096, replace: true }));
    return "ok";
  }
  const options = OPTIONS[role];
  const storage = await FileStorage.open(path, options);
  disks.push(await Disk.open(storage, { readOnly: options.readOnly === true }));
  return `ok ${storage.lock}`;
}

async function carryOut(line: string): Promise<string> {
  const [verb, argument = "", ...rest] = line.split(" ");
  const sector = new Uint8Array(512);
  switch (verb) {
    case "open":
      return open(argument, rest.join(" "));
    case "put":
      await disks.at(-1)!.write(sector.fill(Number(argument)), 0);
      await disks.at(-1)!.flush();
      return "ok";
    case "get":
      await disks.at(-1)!.read(sector, 0);
      return `ok ${sector[511]}`;
    default:
      for (const disk of disks.splice(0)) await disk.close();
      return "ok";
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await carryOut(line).catch((error) =>
    error instanceof DiskError ? `${error.code} ${error.message}` : `? ${error.stack}`,
  );
  console.log(answer.replaceAll("\n", " "));
}
