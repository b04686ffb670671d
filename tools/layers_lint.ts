/** The lint plugin that keeps the layers of `layers.ts` and the place of `Deno`. */

import { fileURLToPath } from "node:url";
import { DENO_DRIVER, importProblem } from "./layers.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

function pathOf(context: Deno.lint.RuleContext): string {
  return context.filename.startsWith(ROOT) ? context.filename.slice(ROOT.length) : context.filename;
}

const plugin: Deno.lint.Plugin = {
  name: "postbox",
  rules: {
    layers: {
      create(context) {
        const from = pathOf(context);
        const look = (source: Deno.lint.StringLiteral | null | undefined) => {
          const message = source ? importProblem(from, source.value) : undefined;
          if (message !== undefined) context.report({ node: source!, message });
        };
        return {
          ImportDeclaration: (node) => look(node.source),
          ExportNamedDeclaration: (node) => look(node.source as Deno.lint.StringLiteral | null),
          ExportAllDeclaration: (node) => look(node.source as Deno.lint.StringLiteral),
          ImportExpression(node) {
            if (node.source.type === "Literal" && typeof node.source.value === "string") {
              look(node.source as Deno.lint.StringLiteral);
            }
          },
        };
      },
    },
    "deno-in-driver": {
      create(context) {
        const from = pathOf(context);
        const library = /^(src|cli|examples|bench)\//.test(from) || from === "mod.ts";
        if (!library || from === DENO_DRIVER) return {};
        return {
          Identifier(node) {
            if (node.name !== "Deno") return;
            const message = `only ${DENO_DRIVER} may say Deno: the same source runs on Node`;
            context.report({ node, message });
          },
        };
      },
    },
  },
};

export default plugin;
