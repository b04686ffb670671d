/** One value: an array of one, without its index. */

import type {
  AtomicArray,
  AtomicField,
  Expected,
  FloatArray,
  FloatField,
  IntegerArray,
  IntegerField,
  WaitForOptions,
  WaitForSyncOptions,
} from "./field.ts";

/** A truth value, and what numbers can do beside their own. */
export class AtomicValue<V, A extends AtomicArray<V> = AtomicArray<V>> implements AtomicField<V> {
  protected readonly array: A;

  constructor(array: A) {
    this.array = array;
  }

  load(): V {
    return this.array.load(0);
  }

  store(value: V): void {
    this.array.store(0, value);
  }

  exchange(value: V): V {
    return this.array.exchange(0, value);
  }

  compareExchange(expected: V, replacement: V): V {
    return this.array.compareExchange(0, expected, replacement);
  }

  waitFor(expected: Expected<V>, options?: WaitForOptions): Promise<V> {
    return this.array.waitFor(0, expected, options);
  }

  waitForSync(expected: Expected<V>, options?: WaitForSyncOptions): V | undefined {
    return this.array.waitForSync(0, expected, options);
  }
}

/** A floating point number. */
export class AtomicFloat extends AtomicValue<number, FloatArray> implements FloatField {
  add(value: number): number {
    return this.array.add(0, value);
  }
}

/** An integer. */
export class AtomicInteger<V extends number | bigint> extends AtomicValue<V, IntegerArray<V>>
  implements IntegerField<V> {
  add(value: V): V {
    return this.array.add(0, value);
  }

  sub(value: V): V {
    return this.array.sub(0, value);
  }

  and(value: V): V {
    return this.array.and(0, value);
  }

  or(value: V): V {
    return this.array.or(0, value);
  }

  xor(value: V): V {
    return this.array.xor(0, value);
  }
}
