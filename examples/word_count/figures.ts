/** Figures as people read them. */

/** 1234567 as 1,234,567. */
export function grouped(value: number): string {
  return value.toLocaleString("en");
}

/** 2 and "piece" as 2 pieces. */
export function amount(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Bytes. */
export function sized(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** A quantity a second. */
export function rate(quantity: number, seconds: number): number {
  return seconds === 0 ? 0 : Math.round(quantity / seconds);
}
