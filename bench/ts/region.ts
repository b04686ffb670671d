/** region NAME attach|read|update: what is done with a region; bench/c/region.c is the same in C. */

import { Region } from "../../mod.ts";
import { args, must, serve } from "./loop.ts";
import { Bench } from "./region_schema.ts";

const [name, what] = args("NAME", "WHAT") as [string, string];

function attach(iterations: number): void {
  for (let i = 0; i < iterations; i++) {
    const region = Region.open(name, Bench);
    must(region.fields.hits.load() === 0n, "Region.open");
    region.close();
  }
}

const region = Region.open(name, Bench), { last } = region.fields;

function read(iterations: number): void {
  let sum = 0;
  for (let i = 0; i < iterations; i++) sum += last.read().c3;
  must(sum >= 0, "read");
}

function update(iterations: number): void {
  for (let i = 0; i < iterations; i++) {
    must(
      last.update((draft) => {
        draft.a0 = i;
        draft.c3 = i >>> 0;
      }),
      "update",
    );
  }
}

serve({ attach, read, update }[what]!);
