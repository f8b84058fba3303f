/**
 * Charts of results, as SVG that is readable on light pages and on dark ones. The same results make the same bytes. Which
 * rows are drawn is said in bench/question.ts.
 */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { formatSize } from "../src/show/units.js";
import { figure } from "./print.js";
import type { Row } from "./question.js";
import type { Result } from "./results.js";

export interface Chart {
  /** Of its file, without .svg. */
  name: string;
  svg: string;
  /** What it shows, with its figures, for who does not see it. */
  alt: string;
}

interface Plan {
  name: string;
  question: string;
  title: string;
  /** What 1.0 is, and what lies below the axis. */
  y: string;
  x: string;
  bars?: true;
  tell: (at: string | number) => string;
}

const clusters = (at: string | number) =>
  Number(at) >= 2 ** 20 ? `${Number(at) / 2 ** 20} Mi` : `${Number(at) / 1024} Ki`;

const PLANS: readonly Plan[] = [
  {
    ...{ name: "engine", question: "engine", bars: true, tell: String },
    title: "Map 1 Mi entries: WebAssembly against TypeScript",
    y: "speed, TypeScript = 1",
    x: "how the image is fragmented",
  },
  {
    ...{ name: "requests", question: "disk", tell: (at) => formatSize(Number(at)) },
    title: "Random requests: the disk against its raw file",
    y: "speed, raw file = 1",
    x: "bytes a request",
  },
  {
    ...{ name: "convert", question: "convert", tell: (at) => formatSize(Number(at)) },
    title: "Convert: whole process, durable, against qemu-img",
    y: "speed, qemu-img = 1",
    x: "size of the disk",
  },
  {
    ...{ name: "check", question: "check", tell: clusters },
    title: "Check: less Node's own start, against qemu-img",
    y: "speed, qemu-img = 1",
    x: "clusters of the image",
  },
];

/** Of series in order: dark ones on light, light ones on dark pages; a shape, too, as not everybody tells colours apart. */
const LOOKS = [
  { light: "#0969da", dark: "#58a6ff", symbol: "circle" },
  { light: "#bc4c00", dark: "#f0883e", symbol: "square" },
  { light: "#1a7f37", dark: "#3fb950", symbol: "triangle" },
  { light: "#8250df", dark: "#bc8cff", symbol: "diamond" },
] as const;

const colours = (page: "light" | "dark") => LOOKS.map((look, index) => `--series-${index}: ${look[page]};`).join(" ");
const STYLE = `
svg { color: #1f2328; --line: #d1d9e0; ${colours("light")} }
@media (prefers-color-scheme: dark) { svg { color: #f0f6fc; --line: #3d444d; ${colours("dark")} } }
`;

const LEGEND_LINE = 16;

/** Charts of the results that are there; of a question without a series there is none. */
export function drawCharts(results: readonly Result[]): Chart[] {
  return PLANS.flatMap((plan) => {
    const rows = results.find(({ question }) => question === plan.question)?.rows.filter(isDrawn) ?? [];
    return rows.length === 0 ? [] : [{ name: plan.name, svg: draw(plan, rows), alt: describe(plan, rows) }];
  });
}

type DrawnRow = Row & Required<Pick<Row, "series" | "at">>;

const isDrawn = (row: Row): row is DrawnRow => row.series !== undefined && row.at !== undefined;

function bySeries(rows: readonly DrawnRow[]): [series: string, rows: DrawnRow[]][] {
  const names = [...new Set(rows.map(({ series }) => series))];
  return names.map((name) => [name, rows.filter(({ series }) => series === name)]);
}

function describe({ title, y, tell }: Plan, rows: readonly DrawnRow[]): string {
  const all = bySeries(rows).map(([series, points]) => {
    const told = points.map(({ at, ratio }) => `${tell(at)} ${figure(ratio)}`).join(", ");
    return `${series}: ${told}`;
  });
  return `${title}; ${y}. ${all.join("; ")}.`;
}

function draw(plan: Plan, rows: readonly DrawnRow[]): string {
  const { document } = parseHTML("<html></html>");
  const places = [...new Set(rows.map(({ at }) => at))];
  const domain = places.every((at) => typeof at === "number") ? places.sort((a, b) => Number(a) - Number(b)) : places;
  const series = bySeries(rows);
  const [lowest, highest] = [0, 1].map((end) => rows.map(({ spread }) => spread[end]));
  const legendLines = series.length > 1 ? Math.ceil(series.length / 2) : 0;
  const marginTop = 52 + LEGEND_LINE * legendLines;
  const svg = Plot.plot({
    ...{ document, width: 400, height: 290, className: "chart", ariaLabel: plan.title, style: { fontSize: "12px" } },
    ...{ marginTop, marginBottom: plan.bars ? 62 : 48, marginLeft: 40, marginRight: 12 },
    x: { type: plan.bars ? "band" : "point", domain, label: null, padding: plan.bars ? 0.25 : 0.5 },
    y: {
      domain: [plan.bars || Math.min(...lowest) < 0.6 ? 0 : 0.5, 1.1 * Math.max(1.05, ...highest)],
      label: null,
      ticks: 5,
    },
    marks: [
      ...(plan.bars ? barsOf(rows) : linesOf(series)),
      Plot.ruleY([1], { strokeWidth: 1.5, strokeDasharray: "5 3" }),
      Plot.axisX({ tickFormat: plan.tell, lineWidth: 4.5, tickSize: 0, label: null }),
      ...note(plan.title, { dy: 8 - marginTop, fontSize: 13, fontWeight: 600 }),
      ...note(plan.y, { dy: -22, dx: -36 }),
      Plot.text([plan.x], { frameAnchor: "bottom", dy: plan.bars ? 56 : 42 }),
      ...(legendLines > 0 ? series.flatMap(([name], index) => legendOf(name, index, 28 - marginTop)) : []),
    ],
  });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  svg.setAttribute("role", "img");
  const style = document.createElement("style");
  style.textContent = STYLE;
  svg.prepend(style);
  return `${svg.outerHTML}\n`;
}

const note = (text: string, options: Plot.TextOptions) => [
  Plot.text([text], { frameAnchor: "top-left", textAnchor: "start", dx: -36, ...options }),
];

function barsOf(rows: readonly DrawnRow[]): Plot.Markish[] {
  return [
    Plot.barY(rows, { x: "at", y: "ratio", fill: "var(--series-0)" }),
    Plot.ruleX(rows, { x: "at", y1: (row: Row) => row.spread[0], y2: (row: Row) => row.spread[1], strokeWidth: 1.5 }),
    Plot.text(rows, { x: "at", y: (row: Row) => row.spread[1], text: (row: Row) => figure(row.ratio), dy: -9 }),
  ];
}

function linesOf(series: readonly [name: string, rows: DrawnRow[]][]): Plot.Markish[] {
  const lines = series.flatMap(([, rows], index) => lineOf(rows, index, series.length));
  return [Plot.gridY({ stroke: "var(--line)", strokeOpacity: 1, ticks: 5 }), ...lines];
}

/** Its points lie beside the other series', so that none hides another. */
function lineOf(rows: readonly DrawnRow[], index: number, count: number): Plot.Markish[] {
  const { colour, symbol, dx } = { ...lookOf(index), dx: 6 * (index - (count - 1) / 2) };
  const [low, high] = [(row: Row) => row.spread[0], (row: Row) => row.spread[1]];
  return [
    Plot.line(rows, { x: "at", y: "ratio", stroke: colour, strokeWidth: 1.5, dx }),
    Plot.ruleX(rows, { x: "at", y1: low, y2: high, stroke: colour, dx }),
    Plot.dot(rows, { x: "at", y: "ratio", fill: colour, symbol, r: 3.5, dx }),
  ];
}

/** Two a line, above the chart. */
function legendOf(name: string, index: number, top: number): Plot.Markish[] {
  const { colour, symbol } = lookOf(index);
  const [dx, dy] = [-30 + 180 * (index % 2), top + LEGEND_LINE * (index >> 1)];
  return [
    Plot.dot([0], { frameAnchor: "top-left", fill: colour, symbol, r: 4, dx, dy }),
    Plot.text([name], { frameAnchor: "top-left", textAnchor: "start", lineAnchor: "middle", dx: dx + 9, dy }),
  ];
}

function lookOf(index: number): { colour: string; symbol: Plot.SymbolType } {
  const { symbol } = LOOKS[index] ?? {};
  if (symbol === undefined) throw new Error(`a chart has at most ${LOOKS.length} series`);
  return { colour: `var(--series-${index})`, symbol };
}
