/**
 * Where one was, by the entry of the browser's history, so that Back leads to the same place. Held for as long as the
 * document lives, like the pages of lists that were loaded: without those there is nothing to come back to.
 */
export interface Mark { id: number; index: number }

/** How far a page was scrolled. */
export const scrolled = new Map<string, number>();
/** The issue that was marked, or opened, in a list. */
export const marks = new Map<string, Mark>();
