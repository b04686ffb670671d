/** The region of the `region` benchmark. */

import { f64, i64, record, struct, u32, u64 } from "../../src/region/mod.ts";

export const Bench = struct("bench", {
  hits: u64,
  last: record({
    a0: f64,
    a1: f64,
    a2: f64,
    a3: f64,
    a4: f64,
    a5: f64,
    a6: f64,
    a7: f64,
    b0: i64,
    b1: i64,
    b2: i64,
    b3: i64,
    c0: u32,
    c1: u32,
    c2: u32,
    c3: u32,
  }),
});
