const WHOLE = new Intl.NumberFormat("en");

/** 1,234 in full; 12.3k and 4.5m above 9,999. */
export function compact(n: number): string {
  if (n < 10_000) return WHOLE.format(n);
  if (n < 1_000_000) return `${trim(n / 1000)}k`;
  return `${trim(n / 1_000_000)}m`;
}

const trim = (n: number): string => (n >= 100 ? Math.floor(n).toString() : (Math.floor(n * 10) / 10).toString());

export const full = (n: number): string => WHOLE.format(n);

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  if (n < 1024 * 1024) return `${(n / 1024).toFixed(1)} KiB`;
  if (n < 1024 ** 3) return `${(n / 1024 ** 2).toFixed(1)} MiB`;
  return `${(n / 1024 ** 3).toFixed(1)} GiB`;
}

export const plural = (n: number, one: string, many = `${one}s`): string => `${full(n)} ${n === 1 ? one : many}`;

/** The first letters of the first two words of a name. */
export const initials = (name: string): string =>
  name
    .split(/\s+/)
    .map((word) => word.charAt(0))
    .slice(0, 2)
    .join("")
    .toUpperCase();
