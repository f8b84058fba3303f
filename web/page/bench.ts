/** The benchmark: bars of WebAssembly against TypeScript, as a multiple of the latter's speed. */
import { BarController, BarElement, CategoryScale, Chart, Legend, LinearScale, Tooltip } from "chart.js";
import type { Row } from "../../bench/question.js";
import { wasmUnavailable } from "../../src/engine/create.js";
import { make, onColours, part, token } from "./dom.js";
import { attempt } from "./notices.js";

/** What the benchmark's worker says. */
export type BenchMessage = { row: Row; done: number; total: number } | { error: string };

const ROW_HEIGHT = 34;

export function setUpBench(): void {
  Chart.register(BarController, BarElement, CategoryScale, Legend, LinearScale, Tooltip);
  const panel = part("bench");
  const button = part("run-bench", HTMLButtonElement);
  let chart: Chart | undefined;
  button.addEventListener("click", async () => {
    panel.dataset.state = "running";
    button.disabled = true;
    const done = await attempt("The benchmark", async () => {
      const rows = await runBench();
      chart?.destroy();
      chart = show(rows);
    });
    panel.dataset.state = done ? "done" : "failed";
    button.disabled = false;
    part("bench-progress").hidden = true;
  });
  onColours(() => {
    if (chart === undefined) return;
    Object.assign(chart.options, colours());
    chart.update("none");
  });
}

/** In a worker of its own: neither the page nor the disks wait for it. */
async function runBench(): Promise<Row[]> {
  if (wasmUnavailable() !== undefined) {
    throw new Error(
      "This page's policy forbids WebAssembly, so that there is nothing to compare: TypeScript does it all.",
    );
  }
  const progress = part("bench-progress", HTMLProgressElement);
  progress.hidden = false;
  progress.value = 0;
  const worker = new Worker("bench.js", { type: "module" });
  const rows: Row[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      worker.onerror = () => reject(new Error("The benchmark's worker did not start: reload the page."));
      worker.onmessage = ({ data }: MessageEvent<BenchMessage>) => {
        if ("error" in data) return reject(new Error(data.error));
        rows.push(data.row);
        progress.value = data.done / data.total;
        if (data.done === data.total) resolve();
      };
    });
  } finally {
    worker.terminate();
  }
  return rows;
}

function show(rows: readonly Row[]): Chart {
  part("bench-result").hidden = false;
  part("bench-table").replaceChildren(...tableOf(rows));
  const canvas = part("bench-chart", HTMLCanvasElement);
  canvas.parentElement!.style.height = `${rows.length * ROW_HEIGHT + 80}px`;
  const tell = (row: Row, time: number) => `${figure(time)} ${row.unit}`;
  return new Chart(canvas, {
    type: "bar",
    data: {
      labels: rows.map(({ what }) => what),
      datasets: [
        { label: "WebAssembly", data: rows.map(({ ratio }) => ratio), backgroundColor: "#1f9bd0", borderRadius: 3 },
        { label: "TypeScript", data: rows.map(() => 1), backgroundColor: "#f39a38", borderRadius: 3 },
      ],
    },
    options: {
      ...colours(),
      indexAxis: "y",
      maintainAspectRatio: false,
      animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? false : { duration: 500 },
      plugins: {
        legend: { position: "top", align: "start", labels: { boxWidth: 14, boxHeight: 14 } },
        tooltip: {
          callbacks: {
            label: ({ datasetIndex, dataIndex, dataset }) => {
              const row = rows[dataIndex];
              return ` ${dataset.label}: ${tell(row, datasetIndex === 0 ? row.own : row.other)}`;
            },
          },
        },
      },
    },
  });
}

function colours() {
  const [ink, quiet, line] = [token("--ink"), token("--quiet"), token("--line")];
  return {
    color: ink,
    scales: {
      x: {
        grid: { color: line },
        ticks: { color: quiet, callback: (value: string | number) => `${value}×` },
        title: { display: true, text: "speed, as a multiple of TypeScript's", color: quiet },
      },
      y: { grid: { display: false }, ticks: { color: ink, autoSkip: false } },
    },
  };
}

function tableOf(rows: readonly Row[]): HTMLElement[] {
  const head = ["Verb", "WebAssembly", "TypeScript", "Faster by"];
  return [
    make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))),
    make(
      "tbody",
      {},
      ...rows.map(({ what, unit, own, other, ratio }) =>
        make(
          "tr",
          {},
          make("td", {}, what),
          make("td", {}, `${figure(own)} ${unit}`),
          make("td", {}, `${figure(other)} ${unit}`),
          make("td", {}, `${figure(ratio)}×`),
        ),
      ),
    ),
  ];
}

/** Three figures, whatever the size: "0.0303", "2.41", "758". */
function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
