/** The names in a directory; none where it cannot be read. */
import * as fs from "node:fs";

export function namesIn(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch {
    return [];
  }
}
