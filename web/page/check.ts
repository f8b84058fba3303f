/** The check: what is wrong with the image, and what it wastes. */
import { wordFor } from "../../src/count.js";
import type { CheckReport, Finding } from "../../src/index.js";
import { grouped, make, many, part } from "./dom.js";
import { attempt } from "./notices.js";
import type { Session } from "./session.js";

const CHIPS: Record<Finding["severity"], [className: string, word: string]> = {
  corruption: ["chip bad", "damage"],
  leak: ["chip warn", "waste"],
  note: ["chip", "note"],
};

export function setUpCheck(session: Session): void {
  const result = part("check-result");
  const idle = result.firstElementChild!;
  session.onChange((open) => {
    part("check-card").hidden = open?.bundle !== undefined; // the command checks whole bundles
    result.replaceChildren(idle);
    result.dataset.state = "idle";
  });
  part("check").addEventListener("click", () => {
    const { current } = session;
    if (current === undefined) return;
    result.dataset.state = "running";
    void attempt(current.name, async () => {
      showReport(result, await current.disk.check());
    });
  });
}

function showReport(result: HTMLElement, report: CheckReport): void {
  const { findings, corruptions, totalClusters, allocatedClusters, fragmentedClusters } = report;
  const facts = `${grouped(allocatedClusters)} of ${many(totalClusters, "cluster")} ${wordFor(totalClusters, "is", "are")} allocated, ${grouped(fragmentedClusters)} of them fragmented.`;
  const [verdict, advice] = verdictOf(report);
  result.replaceChildren(
    make("p", {}, verdictChip(report), " ", make("strong", {}, verdict), advice),
    make("p", { className: "quiet" }, facts),
  );
  if (findings.length > 0) result.append(make("ul", { className: "findings" }, ...findings.map(findingItem)));
  result.dataset.state = corruptions > 0 ? "corrupt" : findings.length > 0 ? "findings" : "sound";
}

function findingItem({ severity, message, kind }: Finding): HTMLElement {
  const [className, word] = CHIPS[severity];
  return make("li", { "data-kind": kind }, make("span", { className }, word), make("span", {}, `${message}.`));
}

function verdictChip({ corruptions, leaks }: CheckReport): HTMLElement {
  if (corruptions > 0) return make("span", { className: "chip bad" }, "damaged");
  return leaks > 0
    ? make("span", { className: "chip warn" }, "wasteful")
    : make("span", { className: "chip good" }, "sound");
}

function verdictOf({ findings, corruptions, leaks }: CheckReport): [verdict: string, advice: string] {
  if (corruptions > 0 && findings.every(({ severity, kind }) => severity !== "corruption" || kind === "unclean")) {
    return ["It was not closed cleanly.", " Nothing else is wrong: copy it into this browser, open and close it."];
  }
  if (corruptions > 0) {
    return [
      `${places(corruptions)} damaged.`,
      " Nothing is written to this image: save what can be read, or use a backup.",
    ];
  }
  if (leaks > 0) return ["No damage, but wasted space.", " Closing the disk after a change gives that back."];
  return ["No damage, nothing wasted.", ""];
}

function places(count: number): string {
  return count === 1 ? "One place is" : `${many(count, "place")} are`;
}
