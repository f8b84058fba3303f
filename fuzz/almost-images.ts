/** Images of every shape that the format has, built from nothing of the engine, and what mutations make of them. */
import { encodeHeader, type Format, type Header, IN_USE } from "../src/format/header.js";
import { CLOSED_V21, withExtension } from "../test/support/extension.js";
import { setField } from "../test/support/image.js";
import { below, patternBytes, type Random } from "../test/support/random.js";
import { mutated, type Shape } from "./mutations.js";

export interface AlmostImage {
  bytes: Uint8Array<ArrayBuffer>;
  /** How it came to be, for messages. */
  lines: string[];
}

const SECTOR = 512;
const BAT = 64;

interface NewImage extends Shape {
  hostCount: number;
  header: Header;
}

export function almostImage(random: Random): AlmostImage {
  const shape = randomShape(random);
  const { format, tracks, batEntries, origin, hostCount, header } = shape;
  const lines = [
    `${format}, ${batEntries} clusters of ${tracks} sectors, ${hostCount} in the file from sector ${origin}`,
  ];
  lines.push(
    `data_off ${header.dataOffset}, flags ${header.flags}, in_use ${header.inUse}, ext_off ${header.extensionOffset}`,
  );
  return { bytes: mutated(build(shape, random), random, lines, shape), lines };
}

function randomShape(random: Random): NewImage {
  const format: Format = random() < 0.6 ? "v1" : "v2";
  const tracks = [1, 1, 2, 3, 7][below(random, 5)];
  const batEntries = random() < 0.05 ? 110 + below(random, 10) : 1 + below(random, 9);
  const batEnd = Math.ceil((BAT + 4 * batEntries) / SECTOR);
  const aligned = Math.ceil(batEnd / tracks) * tracks;
  const derived = format === "v1" && random() < 0.4;
  const origin = derived ? batEnd + (random() < 0.5 ? 0 : below(random, tracks)) : aligned + below(random, 2) * tracks;
  const hostCount = below(random, Math.min(batEntries, 9) + 3);
  const extended = hostCount > 2 && random() < 0.2;
  const cut = random() < 0.3 ? below(random, tracks) : 0;
  const header: Header = {
    ...{ format, heads: 16, cylinders: 1, tracks, batEntries, sectorCount: batEntries * tracks - cut },
    inUse: random() < 0.25 ? IN_USE.open : extended ? CLOSED_V21 : 0,
    dataOffset: derived ? 0 : origin,
    flags: random() < 0.06 ? 1 + below(random, 3) : 0,
    extensionOffset: extended ? origin + (hostCount - 1) * tracks : 0,
  };
  return { format, tracks, batEntries, origin, hostCount, header };
}

function build(
  { format, tracks, batEntries, origin, hostCount, header }: NewImage,
  random: Random,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array((origin + hostCount * tracks) * SECTOR);
  bytes.set(encodeHeader(header));
  const hosts = Array.from({ length: hostCount - (header.extensionOffset > 0 ? 2 : 0) }, (_, host) => host);
  for (let host = 0; host < hostCount; host++) {
    // Some hold zeros: a hole is as good as zeros that were written.
    const content =
      random() < 0.2 ? new Uint8Array(tracks * SECTOR) : patternBytes(below(random, 2 ** 30), tracks * SECTOR);
    bytes.set(content, (origin + host * tracks) * SECTOR);
  }
  for (let cluster = 0; cluster < batEntries && hosts.length > 0; cluster++) {
    if (random() < 0.25) continue;
    const [host] = hosts.splice(random() < 0.5 ? 0 : below(random, hosts.length), 1);
    setField(bytes, BAT + 4 * cluster, (origin + host! * tracks) / (format === "v1" ? 1 : tracks));
  }
  if (header.extensionOffset === 0) return bytes;
  const sectors = [header.extensionOffset, header.extensionOffset - tracks];
  return withExtension(bytes, [{}], { inUse: header.inUse, sectors });
}
