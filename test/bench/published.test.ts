/** Charts and figures that people see are those of the results that lie in bench/results/. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { drawCharts } from "../../bench/charts.js";
import { filesOf } from "../../bench/publish.js";
import type { Row } from "../../bench/question.js";
import { QUESTIONS } from "../../bench/questions.js";
import { readResults } from "../../bench/results.js";
import { ROOT } from "../package/installation.js";

const RESULTS = join(ROOT, "bench/results");
const results = readResults(RESULTS, QUESTIONS);

describe("What is published of the benchmarks", () => {
  const files = filesOf(ROOT, QUESTIONS);

  it.each([...files.keys()])("%s is what the results make: else say `npm run bench -- --charts`", (path) => {
    expect(readFileSync(join(ROOT, path), "utf8")).toBe(files.get(path));
  });

  it("has a chart for each one that lies there, and a question for each result", () => {
    const charts = readdirSync(join(ROOT, "docs/charts")).map((name) => `docs/charts/${name}`);
    expect(charts.sort()).toEqual([...files.keys()].filter((path) => path.endsWith(".svg")).sort());
    const kept = readdirSync(RESULTS).map((name) => name.replace(/\.json$/, ""));
    expect(kept.sort()).toEqual(results.map(({ question }) => question).sort());
  });

  it("has the rows that README is to show", () => {
    for (const { name, main = [] } of QUESTIONS) {
      const result = results.find(({ question }) => question === name);
      const names = result?.rows.map(({ what }) => what) ?? main;
      expect(
        main.filter((what) => !names.includes(what)),
        name,
      ).toEqual([]);
    }
  });

  it("has rows that no other has, and points of a series at one place each", () => {
    for (const { question, rows } of results) {
      const names = rows.map(({ what, against }) => `${what}, against ${against}`);
      expect(names, question).toEqual([...new Set(names)]);
      const points = rows.filter(({ series }) => series).map(({ series, at }) => `${series} at ${at}`);
      expect(points, question).toEqual([...new Set(points)]);
    }
  });
});

describe("A chart", () => {
  const row = (series: string, at: number, ratio: number): Row => ({
    ...{ what: `${series} ${at}`, against: "raw file", ratio, spread: [ratio - 0.1, ratio + 0.1], own: 1, other: 1 },
    ...{ unit: "µs", series, at },
  });
  const result = (rows: Row[]) => [
    { question: "disk", title: "", machine: "", date: "", peers: {}, skipped: [], rows },
  ];

  it("moves with the figures it is drawn from, and tells them in words", () => {
    const [chart] = drawCharts(result([row("sync read", 4096, 0.9), row("sync read", 65_536, 1.1)]));
    const [other] = drawCharts(result([row("sync read", 4096, 0.8), row("sync read", 65_536, 1.1)]));
    expect(chart.svg).not.toBe(other.svg);
    expect(chart.alt).toContain("sync read: 4 KiB 0.900, 64 KiB 1.10");
    expect(chart.svg).toContain("prefers-color-scheme: dark");
  });

  it("has sizes in order, whatever the order of the rows", () => {
    const [{ svg }] = drawCharts(result([row("sync read", 65_536, 1), row("sync read", 4096, 0.9)]));
    expect(svg.indexOf(">4 KiB<")).toBeGreaterThan(0);
    expect(svg.indexOf(">4 KiB<")).toBeLessThan(svg.indexOf(">64 KiB<"));
  });

  it("is refused with more series than there are colours", () => {
    expect(() => drawCharts(result(["a", "b", "c", "d", "e"].map((name) => row(name, 4096, 1))))).toThrow("series");
  });
});
