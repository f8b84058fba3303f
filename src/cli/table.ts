/** Tables for people. */
import CliTable from "cli-table3";

/** Formats a table: its texts to the left, its numbers to the right. */
export function formatTable({ head, rows }: { head: string[]; rows: string[][] }): string {
  const isNumber = (column: number) => rows.every((row) => /^[\d.,]+( [^\s]+)?$/.test(row[column] ?? ""));
  const table = new CliTable({
    head,
    colAligns: head.map((_, column) => (isNumber(column) ? "right" : "left")),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows);
  return table.toString();
}
