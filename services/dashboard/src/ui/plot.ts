import uPlot from "uplot";
import { compact } from "../lib/format.ts";
import { axis } from "../lib/time.ts";
import type { Series } from "./chart.tsx";

const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Each series on top of those below it; the first one ends up as the highest bars, drawn first. */
function stack(series: Series[]): number[][] {
  const sums: number[][] = [];
  let below: number[] = [];
  for (const { counts } of series) {
    below = counts.map((count, index) => count + (below[index] ?? 0));
    sums.push(below);
  }
  return sums.reverse();
}

/** Draws stacked bars into an element, and answers what it is told of: a width, the end. */
export function draw(into: HTMLElement, buckets: string[], series: Series[], height: number): { resize: (width: number) => void; end: () => void } {
  const times = buckets.map((bucket) => Date.parse(bucket) / 1000);
  const step = (times[1] ?? 0) - (times[0] ?? 0);
  const bars = uPlot.paths.bars?.({ size: [0.82, 42], radius: 0.12 });
  const line = { stroke: css("--chart-axis"), ticks: { show: false }, font: "11px system-ui, sans-serif" };
  const plot = new uPlot(
    {
      width: Math.max(200, into.clientWidth),
      height,
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: {
        x: { time: true, range: (_, from, to) => [from - step / 2, to + step / 2] },
        y: { range: (_, __, most) => [0, Math.max(4, Math.ceil(most * 1.1))] },
      },
      axes: [
        { ...line, grid: { show: false }, space: 64, values: (_, ticks) => ticks.map((tick) => axis(tick, step < 86_400)), size: 24 },
        { ...line, grid: { stroke: css("--chart-grid"), width: 1 }, size: 40, space: 34, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? compact(tick) : "")) },
      ],
      series: [
        {},
        ...[...series].reverse().map(({ color, name }) => ({
          label: name, fill: css(color), stroke: css(color), width: 0, points: { show: false }, ...(bars === undefined ? {} : { paths: bars }),
        })),
      ],
    },
    [times, ...stack(series)],
    into,
  );
  return { resize: (width) => plot.setSize({ width: Math.max(200, width), height }), end: () => plot.destroy() };
}
