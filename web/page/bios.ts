/**
 * The two BIOS files of a machine: the server's, if it has Debian's SeaBIOS, else those that the person has given. The
 * latter are kept in the browser's cache, under the address where the server would have them.
 */
import { part } from "./dom.js";

export interface Bios {
  bios: ArrayBuffer;
  vgaBios: ArrayBuffer;
}

const CACHE = "bios";
const NAMES = { bios: "bios/bios.bin", vgaBios: "bios/vgabios.bin" } as const;
const LARGEST = 2 ** 20;

/** Answers nothing where one is missing. */
export async function findBios(): Promise<Bios | undefined> {
  const [bios, vgaBios] = await Promise.all([findFile("bios"), findFile("vgaBios")]);
  part("pick-bios").parentElement!.classList.toggle("given", bios !== undefined);
  part("pick-vgabios").parentElement!.classList.toggle("given", vgaBios !== undefined);
  return bios && vgaBios && { bios, vgaBios };
}

/** Keeps a file that the person gave. @throws Error where it cannot be a BIOS */
export async function keepBios(kind: keyof Bios, file: File): Promise<void> {
  if (file.size === 0 || file.size > LARGEST || file.size % 512 !== 0) {
    throw new Error(`${file.name} is not a BIOS: choose bios.bin or vgabios-stdvga.bin of SeaBIOS.`);
  }
  await (await caches.open(CACHE)).put(NAMES[kind], new Response(file));
}

/** Which of the two a file is, by its name. */
export function kindOf(file: File): keyof Bios {
  return /vga/i.test(file.name) ? "vgaBios" : "bios";
}

async function findFile(kind: keyof Bios): Promise<ArrayBuffer | undefined> {
  const kept = await (await caches.open(CACHE)).match(NAMES[kind]);
  if (kept !== undefined) return kept.arrayBuffer();
  const served = await fetch(NAMES[kind]).catch(() => undefined);
  return served?.ok ? served.arrayBuffer() : undefined;
}
