/** What hands and tools make of a descriptor: other numbers and names, elements that are gone, twice there or elsewhere. */
import { below, type Random } from "../test/support/random.js";

type Mutation = (text: string, random: Random) => string;

const NUMBERS = [
  "0",
  "1",
  "-1",
  "1.5",
  "2147483648",
  "4294967296",
  "9007199254740993",
  "99999999999999999999",
  "",
  "x",
];
const GUIDS = [
  "{00000000-0000-0000-0000-000000000000}",
  "{5fbaabe3-6958-40ff-92a7-860e329aab41}",
  "{704718e1-2314-44c8-9087-d78ed36b0f4e}",
  "no guid",
];
const FILES = ["../x.hds", "/etc/hostname", "DiskDescriptor.xml", ".", "", "a\u0000b", "CON"];
const JUNK = [
  "<!DOCTYPE x [<!ENTITY e 'e'>]>",
  "&e;",
  "<![CDATA[",
  "<Temporary/>",
  "<TopGUID>{5fbaabe3-6958-40ff-92a7-860e329aab41}</TopGUID>",
  "<Unknown a='1'>text</Unknown>",
  "</Storage>",
  "<!--",
  "\u{1f4be}",
];

export function mutateDescriptor(bytes: Uint8Array, random: Random, lines: string[]): Uint8Array {
  let text = new TextDecoder().decode(bytes);
  for (let count = 1 + below(random, 3); count > 0; count--) {
    const name = NAMES[below(random, NAMES.length)];
    text = MUTATIONS[name](text, random);
    lines.push(name);
  }
  if (random() < 0.95) return new TextEncoder().encode(text);
  return new Uint8Array(Uint16Array.from(`\ufeff${text}`, (unit) => unit.charCodeAt(0)).buffer);
}

const MUTATIONS = {
  number: (text, random) => replaced(text, random, /(?<=>)\d+(?=<)/g, (found) => numberNear(found, random)),
  guid: (text, random) => {
    const guids = [...GUIDS, ...(text.match(/\{[0-9a-f-]{36}\}/g) ?? [])];
    return replaced(text, random, /(?<=GUID>)[^<]*/g, () => guids[below(random, guids.length)]);
  },
  file: (text, random) => {
    const files = [...FILES, ...(text.match(/(?<=<File>)[^<]*/g) ?? [])];
    return replaced(text, random, /(?<=<File>)[^<]*/g, () => files[below(random, files.length)]);
  },
  type: (text, random) =>
    replaced(text, random, /(?<=<Type>)[^<]*/g, () => ["Plain", "Compressed", "Other"][below(random, 3)]),
  gone: (text, random) => replaced(text, random, ELEMENT, () => ""),
  twice: (text, random) => replaced(text, random, ELEMENT, (found) => found + found),
  moved: (text, random) => {
    const elements = text.match(ELEMENT) ?? [""];
    return replaced(text, random, ELEMENT, (found) => found + elements[below(random, elements.length)]);
  },
  junk: (text, random) => replaced(text, random, /</g, () => `${JUNK[below(random, JUNK.length)]}<`),
} satisfies Record<string, Mutation>;

const ELEMENT =
  /<(Storage|Image|Shot|GUID|ParentGUID|TopGUID|File|Type|Start|End|Blocksize|Disk_size|Padding)>[\s\S]*?<\/\1>/g;
const NAMES = Object.keys(MUTATIONS) as (keyof typeof MUTATIONS)[];

function numberNear(found: string, random: Random): string {
  if (random() < 0.3) return NUMBERS[below(random, NUMBERS.length)];
  return `${Number(found) + below(random, 9) - 4}`;
}

/** One of the places that a pattern finds, made something else. */
function replaced(text: string, random: Random, pattern: RegExp, make: (found: string) => string): string {
  const places = [...text.matchAll(pattern)];
  if (places.length === 0) return text;
  const { 0: found, index } = places[below(random, places.length)];
  return text.slice(0, index) + make(found) + text.slice(index + found.length);
}
