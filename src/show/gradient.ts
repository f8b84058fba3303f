/** The colours of places in a file, for the pictures of what lies where: on the command line and in the playground. */

/** Front to end of the file; neighbours are told apart, and so are front and end, with any kind of sight. */
export const GRADIENT = [
  "#3b2f8f",
  "#2f62c9",
  "#1f9bd0",
  "#22b59a",
  "#7cc653",
  "#e0c53a",
  "#f39a38",
  "#e5603f",
  "#b52b5e",
] as const;

/** The gradient's colour at 0 to 1. */
export function colourAt(share: number): string {
  const at = Math.min(Math.max(share, 0), 1) * (GRADIENT.length - 1);
  const index = Math.min(Math.floor(at), GRADIENT.length - 2);
  const mix = (from: string, to: string, start: number) => {
    const [a, b] = [from, to].map((colour) => Number.parseInt(colour.slice(start, start + 2), 16));
    return Math.round(a + (b - a) * (at - index))
      .toString(16)
      .padStart(2, "0");
  };
  return `#${[1, 3, 5].map((start) => mix(GRADIENT[index], GRADIENT[index + 1], start)).join("")}`;
}
