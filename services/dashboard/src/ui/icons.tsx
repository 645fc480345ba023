/** Line icons on a grid of 16, drawn for Bugle. */
const PATHS = {
  overview: "M2.5 13.5h11M4.5 11V8M8 11V3.500M11.5 11V6",
  issues: "M8 2.500v6M8 12.700v.2M8 15a7 7 0 1 0 0-14 7 7 0 0 0 0 14z",
  incidents: "M9 1.500 3.500 9H8l-1 5.500L12.500 7H8z",
  oncall: "M2.5 3.500h11v10h-11zM2.5 6.500h11M5.500 2v3M10.500 2v3M5.500 10h2.500",
  projects: "M2.5 5 8 2l5.5 3v6L8 14l-5.5-3zM2.5 5 8 8l5.5-3M8 8v6",
  releases: "M8.8 2H13.500a.5.5 0 0 1 .5.5V7.200L8 13.200a1 1 0 0 1-1.4 0L2.8 9.400a1 1 0 0 1 0-1.400zM11 5v.1",
  notifications: "M4 7a4 4 0 0 1 8 0c0 3 1.2 3.8 1.2 4.500H2.800C2.8 10.8 4 10 4 7zM6.5 13.800a1.6 1.6 0 0 0 3 0",
  admin: "M8 1.8 13.2 4v3.800c0 3-2.2 5.2-5.2 6.4-3-1.2-5.2-3.4-5.2-6.400V4zM5.8 8l1.6 1.600L10.4 6.5",
  account: "M8 8a2.8 2.8 0 1 0 0-5.600A2.8 2.8 0 0 0 8 8zM2.8 14a5.2 5.2 0 0 1 10.4 0",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.6 10.6 14 14",
  check: "m3 8.5 3.2 3.200L13 4.8",
  reopen: "M3 8a5 5 0 1 0 1.6-3.700M3 2.500v3h3",
  ignore: "M2 8s2.2-4.2 6-4.200S14 8 14 8s-2.2 4.2-6 4.200S2 8 2 8zM3 13 13 3",
  assign: "M6.5 8a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.200zM2 13.800a4.5 4.5 0 0 1 9 0M12.5 6v4M10.5 8h4",
  up: "m4 10 4-4 4 4",
  down: "m4 6 4 4 4-4",
  right: "m6 4 4 4-4 4",
  left: "m10 4-4 4 4 4",
  first: "m11 4-4 4 4 4M4.5 4v8",
  last: "m5 4 4 4-4 4M11.5 4v8",
  close: "m4 4 8 8M12 4l-8 8",
  copy: "M5.5 5.500h8v8h-8zM3 10.500h-.5v-8h8V3",
  menu: "M2.5 4.500h11M2.5 8h11M2.5 11.500h11",
  plus: "M8 3v10M3 8h10",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1v1.500M8 13.500V15M1 8h1.500M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13.5 9.500A6 6 0 0 1 6.5 2.500a6 6 0 1 0 7 7z",
  screen: "M2 3h12v8H2zM5.5 13.500h5",
  star: "m8 2 1.8 3.8 4.2.5-3.1 2.9.8 4.100L8 11.300l-3.7 2 .8-4.100L2 6.300l4.2-.5z",
  help: "M8 15A7 7 0 1 0 8 1a7 7 0 0 0 0 14zM6 6.200A2 2 0 1 1 8.7 8c-.5.2-.7.5-.7 1v.3M8 11.600v.1",
  external: "M9.5 2.500h4v4M13.5 2.5 7.5 8.500M11.5 9.500v4h-9v-9h4",
  out: "M6 2.500H2.500v11H6M10.5 5 13.5 8l-3 3M13 8H6",
  dots: "M3.5 8v.1M8 8v.1M12.5 8v.1",
  edit: "M10.500 2.500l3 3-8 8H2.500v-3z",
  trash: "M2.5 4h11M6 4V2.500h4V4M4 4l.6 9.500h6.800L12 4M6.7 6.500v4.500M9.3 6.500v4.5",
  user: "M8 8a2.8 2.8 0 1 0 0-5.600A2.8 2.8 0 0 0 8 8zM2.8 14a5.2 5.2 0 0 1 10.4 0",
  download: "M8 2v8M4.8 7 8 10.2 11.2 7M2.5 13.500h11",
  send: "M14 2 7 9M14 2 9.5 14 7 9 2 6.500z",
  warning: "M8 2.2 14.5 13.500h-13zM8 6.500V10M8 11.800v.1",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16, className = "" }: { name: IconName; size?: number; className?: string }) {
  return (
    <svg className={`icon ${className}`} width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
