/** Nothing: what a process of the runtime costs by itself. */
export {};
