/** A module that cannot be imported, for tests. */

throw new RangeError("the module threw on purpose");
