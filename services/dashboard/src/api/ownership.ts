/** What the pages about ownership read. */
import { useQuery } from "@tanstack/react-query";
import { get } from "./client.ts";
import type { Availability, Ownership } from "./types.ts";

export const useOwnership = (project: number) =>
  useQuery({ queryKey: ["ownership", project], queryFn: ({ signal }) => get<Ownership>(`/projects/${project}/ownership`, { signal }) });

export const useAvailability = () => useQuery({ queryKey: ["availability"], queryFn: ({ signal }) => get<Availability>("/account/availability", { signal }) });
