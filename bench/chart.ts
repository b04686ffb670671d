/**
 * Bars on a logarithmic scale as SVG: sections below each other, panels side by side.
 *
 * ```text
 *   title, notes, legend
 *   section     │ panel           │ panel           │
 *     label     │ ████▒▒▒  values │ ██▒▒▒▒▒  values │     ████ median, ▒▒▒ up to p99
 * ```
 *
 * Rule: text stays text, and the colours follow the reader's scheme, light or dark.
 */

export interface Chart {
  title: string;
  notes: readonly string[];
  sections: readonly Section[];
}

/** Panels with one scale and the same bars. */
export interface Section {
  title: string;
  /** What is written beside each bar. */
  valueHeads: readonly string[];
  panels: readonly Panel[];
}

export interface Panel {
  title: string;
  bars: readonly Bar[];
}

/** Bars of one label are on one line. */
export interface Bar {
  label: string;
  isOurs: boolean;
  ns: number;
  p99Ns?: number;
  /** One for each head. */
  values: readonly string[];
}

const MARGIN = 20, WIDTH = 1120, LINE = 20;
const LABELS_WIDTH = 170, VALUE_WIDTH = 52, GAP = 18, BAR_HEIGHT = 12, MARK_WIDTH = 48;

const STYLE = `
  svg { color-scheme: light dark; }
  .paper { fill: #ffffff; } .ink { fill: #1f2328; } .faint { fill: #59636e; }
  .grid { stroke: #d1d9e0; } .ours { fill: #0969da; } .other { fill: #818b98; }
  .tail { fill-opacity: 0.35; }
  text { font: 12px system-ui, "DejaVu Sans", sans-serif; }
  .title { font-size: 17px; font-weight: 600; } .section { font-size: 14px; font-weight: 600; }
  .end { text-anchor: end; } .middle { text-anchor: middle; } .small { font-size: 11px; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; } .ink { fill: #f0f6fc; } .faint { fill: #9198a1; }
    .grid { stroke: #3d444d; } .ours { fill: #4493f8; } .other { fill: #7d8590; }
  }`;

/** The picture. */
export function svg({ title, notes, sections }: Chart): string {
  let y = MARGIN + 16;
  const body = [text(title, MARGIN, y, "ink title")];
  for (const note of notes) body.push(text(note, MARGIN, y += LINE, "faint"));
  body.push(...legend(y += LINE + 4));
  for (const section of sections) {
    const drawn = drawSection(section, y += LINE + 20);
    body.push(...drawn.elements);
    y = drawn.bottom;
  }
  const height = y + MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" ` +
    `height="${height}" role="img" aria-labelledby="title">`,
    `<title id="title">${escaped(title)}</title>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="paper" width="${WIDTH}" height="${height}"/>`,
    ...body,
    "</svg>\n",
  ].join("\n");
}

function legend(y: number): string[] {
  const entries = [["ours", "Postbox"], ["other", "what else there is"]] as const;
  const elements: string[] = [];
  let x = MARGIN;
  for (const [kind, name] of entries) {
    elements.push(bar(x, y - 10, 18, kind), bar(x + 18, y - 10, 14, `${kind} tail`));
    elements.push(text(name, x + 40, y, "ink"));
    x += 40 + name.length * 7 + 24;
  }
  elements.push(text("solid: median, faint: up to p99; logarithmic", x, y, "faint"));
  return elements;
}

function drawSection({ title, valueHeads, panels }: Section, top: number): Drawn {
  const bars = panels.flatMap(({ bars }) => bars);
  const scale = scaleOf(bars.flatMap(({ ns, p99Ns }) => [ns, p99Ns ?? ns]));
  const labels = [...new Set(bars.map(({ label }) => label))];
  const panelWidth = (WIDTH - 2 * MARGIN - LABELS_WIDTH) / panels.length - GAP;
  const first = top + LINE + 14, bottom = first + labels.length * LINE;

  const elements = [text(title, MARGIN, top, "ink section")];
  for (const [i, label] of labels.entries()) {
    elements.push(text(label, MARGIN, first + i * LINE + 11, "ink"));
  }
  for (const [i, panel] of panels.entries()) {
    const left = MARGIN + LABELS_WIDTH + i * (panelWidth + GAP);
    const width = panelWidth - VALUE_WIDTH * valueHeads.length - 8;
    const at = (ns: number) => left + width * scale.fraction(ns);
    const valueTexts = (values: readonly string[], y: number, style: string) =>
      values.map((value, column) => {
        const right = left + panelWidth - (valueHeads.length - 1 - column) * VALUE_WIDTH;
        return text(value, right, y, `${style} small end`);
      });
    elements.push(text(panel.title, left, top + LINE, "ink"));
    elements.push(...valueTexts(valueHeads, top + LINE, "faint"));
    // Every power of ten has a line, and a word where there is room for one.
    const every = Math.ceil(MARK_WIDTH / (at(10) - at(1)));
    for (const [nth, ns] of scale.marks.entries()) {
      elements.push(line(at(ns), first - 4, bottom));
      if (nth % every > 0) continue;
      elements.push(text(markOf(ns), at(ns), bottom + 12, "faint small middle"));
    }
    for (const { label, isOurs, ns, p99Ns, values } of panel.bars) {
      const y = first + labels.indexOf(label) * LINE, kind = isOurs ? "ours" : "other";
      elements.push(bar(left, y, at(ns) - left, kind));
      if (p99Ns !== undefined) elements.push(bar(at(ns), y, at(p99Ns) - at(ns), `${kind} tail`));
      elements.push(...valueTexts(values, y + 11, "ink"));
    }
  }
  return { elements, bottom: bottom + 12 };
}

interface Drawn {
  elements: string[];
  bottom: number;
}

interface Scale {
  /** The powers of ten in it. */
  marks: number[];
  /** 0 at its beginning, 1 at its end. */
  fraction(ns: number): number;
}

/** A little room before the shortest bar: it would have no length. */
const ROOM = 0.4;

function scaleOf(ns: readonly number[]): Scale {
  const low = Math.log10(Math.min(...ns)) - ROOM, high = Math.log10(Math.max(...ns));
  const first = Math.ceil(low), count = Math.floor(high) - first + 1;
  return {
    marks: Array.from({ length: Math.max(0, count) }, (_, i) => 10 ** (first + i)),
    fraction: (ns) => (Math.log10(ns) - low) / (high - low),
  };
}

function markOf(ns: number): string {
  if (ns < 1e3) return `${ns} ns`;
  if (ns < 1e6) return `${ns / 1e3} µs`;
  if (ns < 1e9) return `${ns / 1e6} ms`;
  return `${ns / 1e9} s`;
}

function text(content: string, x: number, y: number, style: string): string {
  return `<text class="${style}" x="${short(x)}" y="${short(y)}">${escaped(content)}</text>`;
}

function bar(x: number, y: number, width: number, style: string): string {
  return `<rect class="${style}" x="${short(x)}" y="${short(y)}" width="${short(width)}" ` +
    `height="${BAR_HEIGHT}"/>`;
}

function line(x: number, top: number, bottom: number): string {
  return `<path class="grid" d="M${short(x)} ${short(top)}V${short(bottom)}"/>`;
}

/** A tenth of a pixel is enough. */
function short(pixels: number): string {
  return String(Math.round(pixels * 10) / 10);
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
