/** What a command costs before and after its work: whole processes on an image of 64 MiB, beside Node without anything. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { compare } from "../src/measure/compare.js";
import { createFileSync } from "../src/node.js";
import { findPeers } from "./peers.js";
import { less, NODE, parablock, type Timed, takeProcessTurns } from "./processes.js";
import type { Question, Row } from "./question.js";

const MIB = 2 ** 20;
/** What a command may take beyond Node's own start, in ms. */
const BOUND = 25;

/** They only look; the peer has the same ones. */
const LOOKING = ["info", "map", "check"];

export const start: Question = {
  name: "start",
  title: "Start: commands on an image of 64 MiB, whole processes",
  bound: "Node's own start, then the compilation of what is loaded, some 20 ns a byte.",
  main: LOOKING,
  async run({ quick, folder }) {
    const found = findPeers(["qemu-img"]);
    const [image, made] = [join(folder, "small.hds"), join(folder, "made.hds")];
    makeSmall(image);
    const commands: Timed[] = [
      ...LOOKING.map((name) => ({ command: parablock(name, image) })),
      { command: parablock("create", made, "64M"), after: () => rmSync(made) },
    ];
    const names = [...LOOKING, "create"];
    const peers = found.skipped.length > 0 ? [] : LOOKING;
    const ofPeers = peers.map((name) => ({ command: ["qemu-img", name, "-f", "parallels", image] }));
    const [node, ...times] = takeProcessTurns([NODE, ...commands, ...ofPeers], quick ? 5 : 31);
    return {
      rows: [
        ...names.map((name, index) => beyondNode(name, times[index], node)),
        ...names.map((name, index) => ({
          ...{ what: name, against: "node -e 0", unit: "ms" },
          ...compare(times[index], node),
        })),
        ...peers.map((name, index) => ({
          ...{ what: name, against: "qemu-img", unit: "ms" },
          ...compare(times[index], times[names.length + index]),
        })),
      ],
      ...found,
    };
  },
};

function beyondNode(name: string, own: readonly number[], node: readonly number[]): Row {
  const bounds = node.map(() => BOUND);
  return {
    ...{ what: name, against: `${BOUND} ms more than node -e 0`, unit: "ms" },
    ...compare(less(own, node), bounds),
    ...(LOOKING.includes(name) ? { target: 1 } : {}),
  };
}

function makeSmall(path: string): void {
  const disk = createFileSync(path, { size: 64 * MIB, clusterSize: MIB });
  for (const cluster of [0, 1, 7, 4, 30]) disk.write(new Uint8Array(4096).fill(1), cluster * MIB);
  disk.close();
}
