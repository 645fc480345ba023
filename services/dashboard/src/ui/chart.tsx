import { useEffect, useRef, useState } from "react";
import { full } from "../lib/format.ts";
import { useTheme } from "../lib/theme.ts";
import { absolute } from "../lib/time.ts";
import { Untrusted } from "./text.tsx";

export interface Series { name: string; /** A custom property. */ color: string; counts: number[] }

const SHADES = ["--chart-1", "--chart-2", "--chart-3", "--chart-4", "--chart-5", "--chart-6"];
export const shade = (index: number): string => SHADES[index % SHADES.length] ?? "--chart-1";
const total = (counts: number[]): number => counts.reduce((sum, count) => sum + count, 0);

/** Stacked bars over time. The library is loaded with the first chart; readers of screens get the numbers as a table. */
export function StackedChart({ buckets, series, label, height = 200 }: { buckets: string[]; series: Series[]; label: string; height?: number }) {
  const ref = useRef<HTMLDivElement>(null);
  const { dark } = useTheme();
  const [at, setAt] = useState<number | null>(null);
  const content = JSON.stringify([buckets, series]);
  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    let ended = false;
    let end = (): void => undefined;
    void Promise.all([import("./plot.ts"), import("uplot/dist/uPlot.min.css")]).then(([{ draw }]) => {
      if (ended) return;
      const [b, s] = JSON.parse(content) as [string[], Series[]];
      const plot = draw(element, b, s, height);
      const observer = new ResizeObserver(() => plot.resize(element.clientWidth));
      observer.observe(element);
      end = () => {
        observer.disconnect();
        plot.end();
      };
    });
    return () => {
      ended = true;
      end();
    };
  }, [content, height, dark]);
  const point = (clientX: number): void => {
    const box = ref.current?.querySelector(".u-over")?.getBoundingClientRect();
    if (box === undefined) return;
    const index = Math.floor(((clientX - box.left) / box.width) * buckets.length);
    setAt(index >= 0 && index < buckets.length ? index : null);
  };
  return (
    <figure className="chart">
      <div role="img" aria-label={`${label}: ${full(total(series.flatMap((s) => s.counts)))} in all`}>
        <div ref={ref} className="plot" style={{ height }} aria-hidden="true" onMouseMove={(event) => point(event.clientX)} onMouseLeave={() => setAt(null)} />
      </div>
      <figcaption>
        {series.map((s) => (
          <span key={s.name} className="key">
            <i className="swatch" style={{ background: `var(${s.color})` }} />
            <Untrusted limit={60}>{s.name}</Untrusted> <b>{full(at === null ? total(s.counts) : (s.counts[at] ?? 0))}</b>
          </span>
        ))}
        <span className="muted when">{at === null ? "" : absolute(buckets[at] ?? "")}</span>
      </figcaption>
    </figure>
  );
}
