/** Seeded random numbers for model tests: a failure names its seed and can be repeated. */

/** A source of random numbers that depend on nothing but the seed. */
export class Random {
  #state: number;

  constructor(readonly seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to `bound` - 1. (Mulberry32, T. Ettinger.) */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  /** True once in `bound` times. */
  oneIn(bound: number): boolean {
    return this.below(bound) === 0;
  }

  /** One of the values. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** `length` random bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}

/** Runs a random test for a seed, and puts seed and step into whatever it throws. */
export function withSeed(seed: number, steps: number, step: (random: Random) => void): void {
  const random = new Random(seed);
  for (let index = 0; index < steps; index++) {
    try {
      step(random);
    } catch (cause) {
      throw new Error(`seed ${seed}, step ${index}: ${cause}`, { cause });
    }
  }
}
