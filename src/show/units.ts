/** Sizes and shares in the words of people. Units are powers of 1024. The command and the playground use it. */
import { counted } from "../count.js";

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** "1.5 GiB"; exact where the number is short, else to two digits. */
export function formatSize(bytes: number): string {
  let unit = 0;
  let amount = bytes;
  while (amount >= 1024 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit++;
  }
  return unit === 0 ? counted(bytes, "byte") : `${Number(amount.toFixed(2))} ${UNITS[unit]}`;
}

/** "1.5 GiB (1610612736 bytes)" */
export function formatExactSize(bytes: number): string {
  return bytes < 1024 ? formatSize(bytes) : `${formatSize(bytes)} (${counted(bytes, "byte")})`;
}

/** "37.5 %"; 0 of 0 is 0 %. */
export function formatShare(part: number, whole: number): string {
  return `${Number((whole === 0 ? 0 : (100 * part) / whole).toFixed(2))} %`;
}
