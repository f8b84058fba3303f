/**
 * A guest's records: each has a number, and says it in every word, so that a slot of a disk tells which record it holds.
 * What a disk holds after the death of its process must be a prefix of the records that were written, in their order.
 * Nothing here is of Node.
 */
import { below, randomFrom } from "./random.js";

/** Bytes a record, and a slot. */
export const RECORD = 4096;

export function recordOf(number: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(RECORD / 4);
  for (let index = 0; index < words.length; index++) words[index] = Math.imul(number, 0x9e3779b1) ^ index;
  words[0] = number;
  return new Uint8Array(words.buffer);
}

/** The number of the record in a slot; 0 where it is empty. @throws Error for anything but a whole record */
export function numberOf(bytes: Uint8Array): number {
  const words = new Uint32Array(bytes.slice().buffer);
  if (words.every((word) => word === 0)) return 0;
  const number = words[0];
  if (recordOf(number).some((byte, index) => byte !== bytes[index]))
    throw new Error(`a slot holds neither a record nor zeros, but something that begins with ${number}`);
  return number;
}

/** Which slot a record goes to: some slots are written often, others once in a while. */
export function slotOf(seed: number, number: number, slots: number): number {
  const random = randomFrom(Math.imul(seed, 31) + number);
  return random() < 0.5 ? below(random, Math.ceil(slots / 8)) : below(random, slots);
}

/** What a writer said: the records that it began, and those that were done, in the order in which they were. */
export interface Said {
  begun: { number: number; slot: number }[];
  done: number[];
}

/** What is wrong with what the slots hold now, if they held `before` when the writer began. Undefined if nothing is. */
export function orderProblem(
  found: readonly number[],
  before: readonly number[],
  { begun, done }: Said,
): string | undefined {
  const slots = new Map(begun.map(({ number, slot }) => [number, slot]));
  const open = begun.filter(({ number }) => !done.includes(number));
  const state = [...before];
  const fits = () =>
    found.every(
      (number, slot) => number === state[slot] || open.some((other) => other.number === number && other.slot === slot),
    );
  let prefix = fits() ? 0 : -1;
  for (const [index, number] of done.entries()) {
    state[slots.get(number)!] = number;
    if (fits()) prefix = index + 1;
  }
  if (prefix >= 0) return undefined;
  const missing = done.filter((number) => !found.includes(number) && state[slots.get(number)!] === number);
  return `no prefix of ${done.length} records: ${missing.join(", ")} are not there, the newest that is there is ${Math.max(...found)}, in flight were ${open.map(({ number }) => number).join(", ")}`;
}
