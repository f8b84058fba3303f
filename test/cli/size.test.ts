import { describe, expect, it } from "vitest";
import { formatExactSize, formatShare, formatSize, parseSize } from "../../src/cli/size.js";

describe("sizes as people write them", () => {
  it.each([
    ["0", 0],
    ["512", 512],
    ["4K", 4096],
    ["1M", 2 ** 20],
    ["20G", 20 * 2 ** 30],
    ["2T", 2 ** 41],
    ["64k", 65536],
    ["1.5G", 1.5 * 2 ** 30],
    ["0.5K", 512],
    ["31.5K", 32256],
    ["9007199254740991", 2 ** 53 - 1],
  ])("%s is %d bytes", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(["", "K", "12X", "1KB", "-1", "1e3", "0x10", "1,5G", "1 000", "1..5M", "1GG", "NaN"])(
    "refuses %j and says what would be right",
    (text) => {
      expect(() => parseSize(text)).toThrow(/K, M, G or T/);
    },
  );

  it("refuses fractions that are not whole bytes", () => {
    expect(() => parseSize("0.3K")).toThrow(/whole number of bytes/);
    expect(() => parseSize("1.5")).toThrow(/whole number of bytes/);
  });

  it("refuses what exact numbers do not reach", () => {
    expect(() => parseSize("9007199254740992")).toThrow(/2\^53/);
    expect(() => parseSize("9999999T")).toThrow(/2\^53/);
  });

  it("are written with a unit, and exactly where that is asked for", () => {
    expect(formatSize(1536)).toBe("1.5 KiB");
    expect(formatSize(2 ** 40)).toBe("1 TiB");
    expect(formatExactSize(100)).toBe("100 bytes");
    expect(formatExactSize(2 ** 20)).toBe("1 MiB (1048576 bytes)");
    expect(formatShare(1, 3)).toBe("33.33 %");
    expect(formatShare(0, 0)).toBe("0 %");
  });
});
