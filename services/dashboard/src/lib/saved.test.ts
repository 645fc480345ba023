import { describe, expect, it } from "vitest";
import { addressOf, same, searchOf } from "./saved.ts";

describe("saved searches", () => {
  it("hold the status that is chosen", () => {
    expect(searchOf("")).toEqual({ query: "is:unresolved", sort: "last_seen", project: null });
    expect(searchOf("?status=ignored&query=pay&sort=events&project=shop&facets=1")).toEqual({ query: "pay is:ignored", sort: "events", project: "shop" });
    expect(searchOf("?status=all&query=pay").query).toBe("pay");
    expect(searchOf("?query=is%3Aresolved+pay").query).toBe("is:resolved pay");
    expect(searchOf("?query=%21is%3Aresolved").query).toBe("!is:resolved");
    expect(searchOf("?query=is%3Abookmarked").query).toBe("is:bookmarked is:unresolved");
    expect(searchOf("?status=all&query=is%3Aassigned").query).toBe("is:assigned");
  });

  it("lead back to the page that they were saved on", () => {
    for (const address of ["", "?status=ignored", "?status=all", "?project=my+shop&status=all&query=pay+level%3Aerror&sort=users", "?query=%21is%3Aresolved", "?query=is%3Aresolved+is%3Aignored", "?query=is%3Abookmarked", "?status=all&query=is%3Aunassigned+pay", "?status=resolved&query=%21is%3Aassigned"]) {
      expect(addressOf(searchOf(address)), address).toBe(address);
    }
  });

  it("are the same in whatever way the status is given", () => {
    expect(same(searchOf("?query=pay+is%3Aresolved"), searchOf("?status=resolved&query=pay"))).toBe(true);
    expect(same(searchOf("?query=is%3Aunassigned+is%3Aresolved"), searchOf("?status=resolved&query=is%3Aunassigned"))).toBe(true);
    expect(same(searchOf("?query=pay"), searchOf("?query=pay&sort=events"))).toBe(false);
  });
});
