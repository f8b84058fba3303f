/** Every kind of damage that a repair mends, in both formats. */
import type { FindingKind } from "../../src/index.js";
import { patternBytes } from "../support/random.js";
import { appendBytes, entryOf, expectZeros, type Sample, setEntry, setField } from "./damage.js";

export interface Damage {
  name: string;
  kind: FindingKind;
  count: number;
  severity?: "leak";
  formats?: readonly ("v1" | "v2")[];
  /** A backup is made before anything is dropped. */
  lossy?: boolean;
  /** Clusters that nothing refers to after a repair: what the wrong entries had meant. */
  kept?: number;
  harm(image: Sample): void;
}

const BOTH = ["v1", "v2"] as const;
const DATA_OFFSET = 48;
const EXTENSION_OFFSET = 56;

/** Where the first cluster lies: that of guest cluster 3. */
const firstSector = (image: Sample): number =>
  entryOf(image, 3) * (image.format === "v1" ? 1 : image.clusterSize / 512);

const damages: Damage[] = [
  {
    name: "an entry beyond the end of the file",
    kind: "outside",
    count: 1,
    lossy: true,
    kept: 1,
    harm(image) {
      setEntry(image, 4, entryOf(image, 4) + 1000 * (image.format === "v1" ? image.clusterSize / 512 : 1));
      expectZeros(image, 4);
    },
  },
  {
    name: "an entry at the far end of 32 bits",
    kind: "outside",
    count: 2,
    lossy: true,
    harm(image) {
      setEntry(image, 2, 0xffffffff);
      setEntry(image, 7, 0x80000000);
    },
  },
  {
    name: "entries that lead into the header and the BAT",
    kind: "below",
    count: 1,
    lossy: true,
    formats: ["v1"],
    harm(image) {
      setEntry(image, 7, 1);
      setField(image, DATA_OFFSET, (image.clusterSize / 512) * 1);
    },
  },
  {
    name: "an entry between clusters",
    kind: "offGrid",
    count: 1,
    formats: ["v1"],
    harm(image) {
      const { clusterSize, content, bytes } = image;
      setEntry(image, 7, entryOf(image, 0) + 1);
      const from = entryOf(image, 7) * 512;
      content.set(bytes.subarray(from, from + clusterSize), 7 * clusterSize);
    },
  },
  {
    name: "two entries that share a cluster",
    kind: "duplicate",
    count: 1,
    harm(image) {
      setEntry(image, 7, entryOf(image, 3));
      image.content.set(patternBytes(3, image.clusterSize), 7 * image.clusterSize);
    },
  },
  {
    name: "a duplicate in the last entry",
    kind: "duplicate",
    count: 1,
    kept: 1,
    harm(image) {
      setEntry(image, 11, entryOf(image, 0));
      image.content.set(patternBytes(0, image.clusterSize), 11 * image.clusterSize);
    },
  },
  {
    name: "a cluster that four entries share",
    kind: "duplicate",
    count: 3,
    harm(image) {
      for (const cluster of [2, 6, 10]) {
        setEntry(image, cluster, entryOf(image, 1));
        image.content.set(patternBytes(1, image.clusterSize), cluster * image.clusterSize);
      }
    },
  },
  {
    name: "a data offset of 1",
    kind: "dataOffset",
    count: 1,
    harm: (image) => setField(image, DATA_OFFSET, 0x7fffffff),
  },
  {
    name: "a data offset with more clusters below than above",
    kind: "dataOffset",
    count: 1,
    harm: (image) => setField(image, DATA_OFFSET, firstSector(image) + (4 * image.clusterSize) / 512),
  },
  {
    name: "a data offset that bears out no cluster",
    kind: "dataOffset",
    count: 1,
    formats: ["v1"],
    harm: (image) => setField(image, DATA_OFFSET, firstSector(image) + 3),
  },
  {
    name: "a format extension that is none",
    kind: "extension",
    count: 1,
    lossy: true,
    harm: (image) => setField(image, EXTENSION_OFFSET, 3),
  },
  {
    name: "clusters at the end that nothing uses",
    kind: "leakedTail",
    count: 3,
    severity: "leak",
    harm: (image) => appendBytes(image, new Uint8Array(2 * image.clusterSize + 17).fill(1)),
  },
  {
    name: "a cluster inside that nothing uses",
    kind: "leakedInside",
    count: 1,
    severity: "leak",
    harm(image) {
      setEntry(image, 9, 0);
      expectZeros(image, 9);
    },
  },
  {
    name: "a file cut in the midst of its last cluster",
    kind: "outside",
    count: 1,
    lossy: true,
    harm(image) {
      image.bytes = image.bytes.slice(0, -100);
      image.content.fill(0, image.content.length - 100);
    },
  },
];

/** Each damage in each format. */
export const cases = damages.flatMap((damage) => (damage.formats ?? BOTH).map((format) => ({ ...damage, format })));
