import { describe, expect, it } from "vitest";
import { pick } from "./selection.ts";

describe("a selection", () => {
  const shown = [5, 3, 9, 1];
  const after = (old: number[], id: number, from: number | null): number[] => [...pick(new Set(old), shown, id, from)].sort((a, b) => a - b);

  it("takes one, and leaves it again", () => {
    expect(after([], 3, null)).toEqual([3]);
    expect(after([3, 9], 3, null)).toEqual([9]);
  });

  it("reaches from the last one to this one, either way", () => {
    expect(after([5], 9, 5)).toEqual([3, 5, 9]);
    expect(after([1], 3, 1)).toEqual([1, 3, 9]);
    expect(after([1, 3, 5, 9], 9, 5)).toEqual([1]);
    expect(after([5], 5, 5)).toEqual([]);
  });

  it("takes one alone when the other has left the list", () => {
    expect(after([7], 9, 7)).toEqual([7, 9]);
  });
});
