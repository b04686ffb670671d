/**
 * Runs jobs some at a time, in their order; afterwards those that must be alone, one by one.
 *
 * Rule: while a job that must be alone runs, no other does.
 */

/** Something to run. */
export interface Job<T> {
  /** Nothing else runs meanwhile. */
  alone: boolean;
  /** @param beside Others run at the same time. */
  run(beside: boolean): Promise<T>;
}

/** Runs them, `width` at a time; gives what they gave in the order of the jobs. */
export async function sideBySide<T>(jobs: readonly Job<T>[], width: number): Promise<T[]> {
  const results = new Map<Job<T>, T>();
  await lanes(jobs.filter(({ alone }) => !alone), width, results);
  await lanes(jobs.filter(({ alone }) => alone), 1, results);
  return jobs.map((job) => results.get(job)!);
}

/** Each lane takes the next job when it has done its last. */
async function lanes<T>(jobs: Job<T>[], width: number, results: Map<Job<T>, T>): Promise<void> {
  const waiting = jobs.values(), count = Math.min(width, jobs.length);
  const lane = async () => {
    for (const job of waiting) results.set(job, await job.run(count > 1));
  };
  await Promise.all(Array.from({ length: count }, lane));
}
