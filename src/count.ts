/** Numbers of things: what is one, and how messages say it with its noun. Needs nothing: every room uses it. */

/** "1 cluster", "3 clusters". @param nouns the plural where it is not the noun with an s */
export function counted(count: number, noun: string, nouns?: string): string {
  return `${count} ${wordFor(count, noun, nouns)}`;
}

/** The word alone, where the number is written in its own way, or where a verb follows it. */
export function wordFor(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? one : many;
}

/** Whether something that came from outside can be a number of things, or of bytes. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
