/** A place between the bars that is marked with a line, and what it says when pointed at. */
export interface Mark { at: number; title: string }

/** A row of small bars: how often, bucket by bucket, the newest right. */
export function Sparkline({ counts, label, marks = [] }: { counts: number[] | undefined; label: string; marks?: Mark[] }) {
  if (counts === undefined || counts.length === 0) return <svg className="spark" viewBox="0 0 96 22" aria-hidden="true" />;
  const most = Math.max(1, ...counts);
  const width = 96 / counts.length;
  const bars = counts
    .map((count, index) => {
      const height = count === 0 ? 1 : Math.max(2.5, (count / most) * 21);
      return `M${(index * width + 0.5).toFixed(2)} ${(22 - height).toFixed(2)}h${Math.max(1, width - 1.2).toFixed(2)}V22h-${Math.max(1, width - 1.2).toFixed(2)}z`;
    })
    .join("");
  return (
    <svg className="spark" viewBox="0 0 96 22" role="img" aria-label={label} preserveAspectRatio="none">
      <path d={bars} />
      {marks.map(({ at, title }) => (
        <g key={at}>
          <title>{title}</title>
          <path className="mark" d={`M${(at * width).toFixed(2)} 0V22`} />
          {/* The line alone is too thin to point at. */}
          <rect x={(at * width - 1.5).toFixed(2)} width="3" height="22" fill="transparent" />
        </g>
      ))}
    </svg>
  );
}

/** A share of a whole. */
export const Meter = ({ part, whole }: { part: number; whole: number }) => (
  <svg className="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
    <rect className="rest" width="100" height="6" rx="3" />
    <rect width={whole === 0 ? 0 : Math.max(1, (part / whole) * 100)} height="6" rx="3" />
  </svg>
);
