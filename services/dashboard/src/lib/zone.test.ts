import { describe, expect, it } from "vitest";
import { dayStart, instantOf, isDay, monday, plusDays, wallOf } from "./zone.ts";

const VIENNA = "Europe/Vienna";
const iso = (wall: string, zone: string): string => new Date(instantOf(wall, zone)).toISOString();

describe("wall clocks of zones", () => {
  it("are read and set", () => {
    expect(wallOf(Date.parse("2026-12-01T08:00:00Z"), VIENNA)).toBe("2026-12-01T09:00");
    expect(iso("2026-12-01T09:00", VIENNA)).toBe("2026-12-01T08:00:00.000Z");
    expect(iso("2026-07-01T00:00", "Asia/Kolkata")).toBe("2026-06-30T18:30:00.000Z");
    expect(iso("2026-07-01T00:00", "Pacific/Kiritimati")).toBe("2026-06-30T10:00:00.000Z");
    expect(instantOf("", VIENNA)).toBeNaN();
  });

  it("take the first instant after a gap, and the first of two", () => {
    expect(iso("2026-03-29T02:30", VIENNA)).toBe("2026-03-29T01:00:00.000Z");
    expect(iso("2026-10-25T02:30", VIENNA)).toBe("2026-10-25T00:30:00.000Z");
    expect(iso("2021-04-04T01:45", "Australia/Lord_Howe")).toBe("2021-04-03T14:45:00.000Z");
  });

  it("make days of 23 and 25 hours", () => {
    const hours = (day: string): number => (dayStart(plusDays(day, 1), VIENNA) - dayStart(day, VIENNA)) / 3_600_000;
    expect(hours("2026-03-29")).toBe(23);
    expect(hours("2026-10-25")).toBe(25);
    expect(hours("2026-12-31")).toBe(24);
  });
});

describe("days", () => {
  it("count over the ends of months, and know their Monday", () => {
    expect(plusDays("2028-02-28", 2)).toBe("2028-03-01");
    expect(monday("2026-11-29")).toBe("2026-11-23");
    expect(monday("2026-11-30")).toBe("2026-11-30");
  });

  it("are told from what is none", () => {
    expect([isDay("2026-11-30"), isDay("2026-13-01"), isDay("x"), isDay(null)]).toEqual([true, false, false, false]);
  });
});
