/**
 * How pages stay fresh. Today they poll; when the server pushes, this is the file that changes: a push will
 * invalidate the same queries, and the intervals below become a fallback.
 */
import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";

/** For what people watch: lists of issues, an open issue. Hidden tabs do not poll. */
export const LIVE = { refetchInterval: 5_000, refetchIntervalInBackground: false } as const;

/** For what changes slowly: statistics, health. */
export const CALM = { refetchInterval: 30_000, refetchIntervalInBackground: false } as const;

/** Something was changed here: everything that may show it is read again. */
export function useChanged(): (...roots: string[]) => Promise<void> {
  const client = useQueryClient();
  return useCallback(
    async (...roots: string[]) => {
      await Promise.all(roots.map((root) => client.invalidateQueries({ queryKey: [root] })));
    },
    [client],
  );
}
