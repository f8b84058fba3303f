/** Lines as bytes: the same as the texts that they stand for. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { bytesOf, Lines } from "../../src/cli/lines.js";
import { runs } from "../support/runs.js";

const number = fc.oneof(
  fc.maxSafeNat(),
  fc.nat({ max: 99 }),
  fc.tuple(fc.nat({ max: 15 }), fc.constantFrom(-1, 0, 1)).map(([power, by]) => 10 ** power + by),
);
const item = fc.oneof(
  fc.record({ number, width: fc.nat({ max: 20 }) }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
);

it("are the same as texts that were put together", () => {
  const lines = new Lines();
  fc.assert(
    fc.property(fc.array(item, { maxLength: 50 }), (items) => {
      for (const item of items)
        if (typeof item === "string") lines.add(bytesOf(item));
        else lines.addNumber(item.number, item.width);
      const text = items.map((item) => (typeof item === "string" ? item : `${item.number}`.padStart(item.width)));
      expect(new TextDecoder().decode(lines.take())).toBe(text.join(""));
    }),
    runs(2000, 200),
  );
});

it("have room for a line of any length", () => {
  const lines = new Lines();
  const long = "x".repeat(2 ** 20);
  for (let i = 0; i < 3; i++) lines.add(bytesOf(long)).addNumber(i);
  expect(new TextDecoder().decode(lines.take())).toBe(`${long}0${long}1${long}2`);
});
